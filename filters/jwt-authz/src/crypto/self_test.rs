//! Tests whether a verifier checks signatures correctly.

use super::algorithm::Algorithm;
use super::jwk::Origin;
use super::key::Key;
use super::key_set::KeySet;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Whether `verify` accepts a valid signature of this algorithm and refuses an invalid one. Run once per config: an
/// Envoy built without a crypto library must not be asked. False for algorithms that Envoy does not support.
#[must_use]
pub fn works(verify: impl Fn(Algorithm, &Key, &[u8], &[u8]) -> Option<bool>, algorithm: Algorithm) -> bool {
    let (Some(example), Ok(keys)) = (
        EXAMPLES.iter().find(|example| example.algorithm == algorithm),
        KeySet::read(KEYS.as_bytes(), Origin::Inline),
    ) else {
        return false;
    };
    let (Some(key), Ok(signature)) =
        (keys.candidates(None, algorithm).next(), URL_SAFE_NO_PAD.decode(example.signature))
    else {
        return false;
    };
    let says =
        |payload| verify(algorithm, key, format!("{}.{payload}", example.header).as_bytes(), &signature);
    says(PAYLOAD) == Some(true) && says(OTHER_PAYLOAD) == Some(false)
}

/// A header, and the signature of it and [`PAYLOAD`].
struct Example {
    algorithm: Algorithm,
    header: &'static str,
    signature: &'static str,
}

/// The claims of RFC 7515 appendix A, with `is_root`.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
    cnVlfQ";

/// [`PAYLOAD`] with one letter changed: `is_rooT`.
const OTHER_PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb29UIjp0\
    cnVlfQ";

/// The RSA key of RFC 7515 appendix A.2, the P-256 key of A.3, and a P-384 key made with OpenSSL.
const KEYS: &str = concat!(
    r#"{"keys":[{"kty":"RSA","e":"AQAB","n":""#,
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt\
    0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
    ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5\
    IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    r#""},{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
    r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"EC","crv":"P-384","#,
    r#""x":"9_4gfZcdtrYUWFF8fb7K0ySMCbDRfk1Vl77nmuJLIMVoY67nkS4bbcYPLxRcgM80","#,
    r#""y":"Pkx5E9UxtwFleKbAwTwp-h0pwb6fpHuggYvCZkvG9ULdczNIcpMkPf3tUfho3ZPg"}]}"#,
);

const EXAMPLES: [Example; 5] = [
    // RFC 7515 appendix A.2.
    Example {
        algorithm: Algorithm::Rs256,
        header: "eyJhbGciOiJSUzI1NiJ9",
        signature: "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W\
            2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS\
            jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv\
            Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    },
    // Made with the private key of appendix A.2; RSASSA-PKCS1-v1_5 is deterministic.
    Example {
        algorithm: Algorithm::Rs384,
        header: "eyJhbGciOiJSUzM4NCJ9",
        signature: "UqgNjrJOGhk4wfoSG6Uvrt9GcKu-TgPwInExALrMBadg1pol1uTw7mZADTddAWsC6ZzdFiTFUmIi7DuD38ftLAZo\
            W4qezdAO7RYf1yZDsbT20bt8DJJN1I4VovL2PLg80B6x6ug-kaW8k5LaM5ce0dk1zgWhjafKC3Mb4UNLL8f9fqVM\
            kHpdWYRjF6QjTz12Ap-gq-tPyUoWSdvzCIYOcZ9-08SQQdUTTgsNF1Qwu3TqeWPqzNJwmWHiHMmaV8I4ktMFEX-A\
            iEBa55KsfYTx0jSbTHP-odqmnLQJ4n-oQJ2RSXy0HQP6BkdiwDHdoMUk4z_wAeOsfDTs_mLxTgOInQ",
    },
    // Made with the private key of appendix A.2.
    Example {
        algorithm: Algorithm::Rs512,
        header: "eyJhbGciOiJSUzUxMiJ9",
        signature: "ZatQfsb2gyCu3y9cDuz59a-IKm4bkqtT0HuT8BpNlPCmA3Y2eH91CVSI0TbkPqI9v2jaXuWvPcoJGNRtTpUXafTA\
            bqzxWSMjqx8SkJRTuUz6imaHBctra42j2AvJ1t7qJwf2NN49y9PZbkYn3ejhU-iCmKJ3J-_GLsYp5VlximYm-o3s\
            Mul0tyCMvHUdmuWvadnVEaio-jix3pXYWfyFC8tp19zZrTaofxTAzCqlqundx22tfsuqchto_zVnZk_ZBr1R5lr2\
            9Qle5JgLmRkfDNbVSQZFdwg6mSlODL8BrOiM_vreMaPCO8U_JGezKUob0ONv7DA7XDfpbaXaFsHipQ",
    },
    // RFC 7515 appendix A.3.
    Example {
        algorithm: Algorithm::Es256,
        header: "eyJhbGciOiJFUzI1NiJ9",
        signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    },
    // Made with OpenSSL.
    Example {
        algorithm: Algorithm::Es384,
        header: "eyJhbGciOiJFUzM4NCJ9",
        signature: "1yXRJOuNqlNLu6dAEeA60RpXMBOWUcdeRix5-HMTTFq-dm2l9BMVr-V3XT6FW1EPRx-En3NpuW3ZCckRz3CvxFfc\
            OaHSte3Pfn3YMJTmJ9WTq6xe56LYCS37xHn_FaOj",
    },
];

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, works};
    use crate::crypto::{Algorithm, in_vm};

    #[test]
    fn ours_works() {
        for algorithm in Algorithm::ALL {
            let ours = |algorithm, key: &_, message: &[u8], signature: &[u8]| {
                Some(in_vm::verify(algorithm, key, message, signature))
            };
            let expected = EXAMPLES.iter().any(|example| example.algorithm == algorithm);
            assert_eq!(works(ours, algorithm), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn one_that_does_not_look_is_found_out() {
        for answer in [None, Some(true), Some(false)] {
            for algorithm in Algorithm::ALL {
                assert!(!works(|_, _, _, _| answer, algorithm), "{answer:?} {algorithm:?}");
            }
        }
    }
}
