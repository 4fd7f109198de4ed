//! The request target: which behaviour, with which parameters.

/// A path and its decoded parameters, values as bytes because some must not be UTF-8.
pub struct Query {
    pub path: String,
    pairs: Vec<(String, Vec<u8>)>,
}

impl Query {
    pub fn parse(target: &str) -> Query {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (name.to_owned(), percent_decode(value))
            })
            .collect();
        Query {
            path: path.to_owned(),
            pairs,
        }
    }

    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.bytes(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// The values of a parameter that may be repeated.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let values = self.pairs.iter().filter(|(key, _)| key == name);
        values
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.bytes(name).is_some_and(|value| value != b"0")
    }

    /// The bytes of `hex=`.
    pub fn hex(&self) -> Vec<u8> {
        let digits: Vec<u8> = self
            .bytes("hex")
            .unwrap_or_default()
            .iter()
            .filter_map(|&c| hex_digit(c))
            .collect();
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }
}

fn hex_digit(c: u8) -> Option<u8> {
    (c as char).to_digit(16).map(|digit| digit as u8)
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| Some(hex_digit(*bytes.get(at + 1)?)? << 4 | hex_digit(*bytes.get(at + 2)?)?))
            .flatten();
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_may_be_repeated() {
        let query = Query::parse("/http?status=503&header=A%3A1&header=B:2&body=%ff%zz");
        assert_eq!(query.path, "/http");
        assert_eq!(query.number("status", 0), 503);
        assert_eq!(query.texts("header"), ["A:1", "B:2"]);
        assert_eq!(query.bytes("body"), Some(&b"\xff%zz"[..]));
    }
}
