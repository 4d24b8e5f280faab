//! A config in one line, for the log.

use crate::config::{Action, Config, Jwks, Provider, Rule};
use mesh_policy::mode::Mode;
use mesh_policy::summary::list;

/// The mode, the providers and the rules:
/// `mode enforce; 1 provider: main (cluster keycloak); 2 rules: admins (allow), blocked (deny, shadow); default deny`.
pub(crate) fn summary(config: &Config) -> String {
    let provider = |provider: &Provider| match &provider.jwks {
        Jwks::Inline(_) => format!("{} (inline keys)", provider.name),
        Jwks::Remote(remote) => format!("{} (cluster {})", provider.name, remote.cluster),
    };
    let rule = |rule: &Rule| match rule.mode {
        Mode::Enforce => format!("{} ({})", rule.name, word(rule.action)),
        mode => format!("{} ({}, {mode})", rule.name, word(rule.action)),
    };
    format!(
        "mode {}; {}; {}; default {}",
        config.settings.mode,
        list("provider", config.providers.iter().map(provider)),
        list("rule", config.rules.iter().map(rule)),
        word(config.default)
    )
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    }
}

#[cfg(test)]
mod tests {
    use super::summary;
    use crate::config::parse;

    #[test]
    fn configs() {
        let config = r#"{"providers": [{
                "name": "main", "issuer": "https://i", "algorithms": ["RS256"],
                "jwks": {"remote": {"cluster": "keycloak", "host": "i", "path": "/jwks"}}
            }], "rules": [
                {"name": "admins", "action": "allow", "claims": [{"claim": "role", "equals": "admin"}]},
                {"name": "blocked", "action": "deny", "mode": "shadow", "match": {"path": {"prefix": "/x"}}}
            ]}"#;
        assert_eq!(
            summary(&parse(config.as_bytes()).unwrap()),
            "mode enforce; 1 provider: main (cluster keycloak); \
             2 rules: admins (allow), blocked (deny, shadow); default deny"
        );
    }
}
