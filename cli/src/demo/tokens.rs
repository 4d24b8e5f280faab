//! The tokens in the commands.
//!
//! A token expires, so a command contains a name, `<token:good>`, which is replaced when it is shown or run.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use mesh_config::quoted;
use serde_json::{Value, json};

use super::keys::KeyPair;

/// The issuer and the audience of the provider in `demo.yaml`.
const ISSUER: &str = "https://issuer.example.com";
const AUDIENCE: &str = "demo";

/// Lifetime of a valid token, in seconds.
const LIFETIME: i64 = 3600;

/// The start of a name of a token, which ends with `>`.
const MARK: &str = "<token:";

/// One token of each kind, by name.
#[derive(Clone, Debug)]
pub struct Tokens(BTreeMap<&'static str, String>);

impl Tokens {
    /// Signs tokens that are valid from now on.
    ///
    /// # Errors
    ///
    /// Random numbers for the key of the foreign token are not available.
    pub fn mint(pair: &KeyPair) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let now = i64::try_from(now.as_secs())?;
        let foreigner = KeyPair::random()?;
        let token = |pair: &KeyPair, issued: i64, own: Value| pair.sign(&claims(issued, own));
        let admin = || json!({"sub": "user-1", "role": "admin"});
        Ok(Self(BTreeMap::from([
            ("good", token(pair, now, admin())),
            ("expired", token(pair, now - 2 * LIFETIME, admin())),
            // Its claims and its `kid` are right, its signature is not.
            ("foreign", token(&foreigner, now, admin())),
            ("wrong-role", token(pair, now, json!({"sub": "user-2", "role": "reader"}))),
            ("guest", token(pair, now, json!({"sub": "user-3", "role": "reader", "groups": ["guest"]}))),
        ])))
    }

    /// Replaces the names of tokens in a command of the scenario.
    ///
    /// # Errors
    ///
    /// It has an unknown name.
    pub fn in_line(&self, line: &str) -> anyhow::Result<String> {
        let mut parts = line.split(MARK);
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) =
                part.split_once('>').with_context(|| format!("a `{MARK}` is not closed in `{line}`"))?;
            let token = self.0.get(name).with_context(|| {
                format!("there is no token `{name}`; known: {}", quoted(self.0.keys().copied()))
            })?;
            whole.push_str(token);
            whole.push_str(rest);
        }
        Ok(whole)
    }
}

fn claims(issued: i64, own: Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "iat": issued, "exp": issued + LIFETIME});
    if let (Some(claims), Value::Object(own)) = (claims.as_object_mut(), own) {
        claims.extend(own);
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy::Bootstrap;

    fn tokens() -> Tokens {
        Tokens::mint(&KeyPair::random().unwrap()).unwrap()
    }

    #[test]
    fn they_are_for_the_provider_of_the_demo() {
        let demo = Bootstrap::load("demo").unwrap();
        let config = demo.plugin_config("jwt-authz").unwrap();
        let config = jwt_authz::config::parse(config.as_bytes()).unwrap();
        let [provider] = config.providers.as_slice() else { panic!("one provider") };
        assert_eq!(provider.issuer.as_deref(), Some(ISSUER));
        assert_eq!(provider.audiences, [AUDIENCE]);
    }

    #[test]
    fn a_line_gets_what_it_names() {
        let tokens = tokens();
        let line = tokens.in_line("curl -H 'a: <token:good>' -H 'b: <token:good>' http://h/<x>").unwrap();
        let good = &tokens.0["good"];
        assert_eq!(line, format!("curl -H 'a: {good}' -H 'b: {good}' http://h/<x>"));
    }

    #[test]
    fn a_name_that_is_none_is_an_error() {
        let error = |line: &str| tokens().in_line(line).unwrap_err().to_string();
        assert_eq!(
            error("<token:god>"),
            "there is no token `god`; known: `expired`, `foreign`, `good`, `guest`, `wrong-role`"
        );
        assert_eq!(error("<token:good"), "a `<token:` is not closed in `<token:good`");
    }
}
