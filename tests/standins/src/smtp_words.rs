//! Small pieces of the mail protocol.

/// The address in `FROM:<address>` or `TO:<address>`; what follows it is of no interest.
pub fn path(rest: &str, label: &str) -> Option<String> {
    let labelled = rest.get(..label.len())?.eq_ignore_ascii_case(label);
    let address = rest[label.len()..].trim_start().strip_prefix('<')?;
    let (address, _) = address.split_once('>')?;
    labelled.then(|| address.to_owned())
}

/// Base64 (RFC 4648), as AUTH uses it, decoded; what does not belong is passed over.
pub fn base64(encoded: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut decoded = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for value in encoded.chars().filter_map(|digit| DIGITS.find(digit)) {
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    decoded
}
