//! Exports of patients in XML and JSON, in which labels and values stand in strings apart; and their like that name nobody.

use super::{JSON, MULTIPART, inspect, part};
use crate::inspect::Verdict;

const CDA: &str = "<ClinicalDocument><recordTarget><patientRole><id extension=\"00412345\" root=\"2.16.840.1.113883.19.5\"/><patient><name><given>Dorothy</given><family>Kowalski</family></name></patient></patientRole></recordTarget></ClinicalDocument>";

fn passes(content_type: &str, body: &str) -> Vec<&'static str> {
    let file = ("discord", "POST", "/api/v10/channels/1/messages", MULTIPART);
    let (name, kind) = ("files[0]\"; filename=\"x.dat", content_type);
    let file = (file.0, file.1, file.2, file.3, part(name, kind, body));
    let raw = ("generic", "POST", "/x", content_type, body.to_owned());
    [("file", file), ("body", raw)]
        .into_iter()
        .filter(|(_, call)| inspect(call).verdict == Verdict::Forward)
        .map(|(door, _)| door)
        .collect()
}

#[test]
fn labels_and_values_apart_in_xml_are_read_together() {
    for body in [
        CDA,
        "<patient><name><given>Dorothy</given><family>Kowalski</family></name></patient>",
        "<table><tr><td>MRN</td><td>00412345</td></tr></table>",
        "<table>\n<tr>\n<th>Patient name</th>\n<th>MRN</th>\n</tr>\n<tr>\n<td>Dorothy Kowalski</td>\n<td>00412345</td>\n</tr>\n</table>",
        "<p>MRN <content>00412345</content></p>",
        "<form><field name=\"MRN\" value=\"00412345\"/></form>",
        "<svg><text><tspan>MRN </tspan><tspan>00412345</tspan></text></svg>",
        "<w:p xmlns:w=\"w\"><w:r><w:t>SSN 536-</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>90-</w:t></w:r><w:r><w:t>4399</w:t></w:r></w:p>",
        "<entry><content type=\"xhtml\"><p>SSN 987-<b>65</b>-4320</p></content></entry>",
        "<entry><content><p>SSN 987-<x>65</x>-4320</p></content></entry>",
        "<entry><title>MRN</title><content>00412345</content></entry>",
    ] {
        assert_eq!(passes("text/xml", body), [""; 0], "{body}");
    }
}

#[test]
fn labels_and_values_apart_in_json_are_read_together() {
    for body in [
        r#"{"resourceType":"Patient","identifier":[{"type":{"text":"MRN"},"value":"00412345"}],"name":[{"family":"Kowalski","given":["Dorothy"]}]}"#,
        r#"{"columns":["patient name","MRN"],"rows":[["Dorothy Kowalski","00412345"]]}"#,
        r#"[["patient name","MRN"],["Dorothy Kowalski","00412345"]]"#,
        r#"[["patient name","MRN","ward"],["Dorothy Kowalski","00412345","4 West"]]"#,
    ] {
        assert_eq!(passes(JSON, body), [""; 0], "{body}");
    }
}

#[test]
fn what_names_nobody_passes() {
    for (content_type, body) in [
        (
            "text/xml",
            "<rss><channel><title>Hospital news</title><link>https://news.example.org/1234567</link><item><guid>12345678</guid><pubDate>Sun, 22 Nov 2026 08:00:00 GMT</pubDate><title>Open day</title><description>Come and see the new wing</description></item></channel></rss>",
        ),
        (
            "text/xml",
            "<svg width=\"100\" height=\"200\"><g id=\"a1234567\"><text x=\"10\" y=\"20\"><tspan>Open </tspan><tspan>day</tspan></text></g></svg>",
        ),
        (
            "text/xml",
            "<orders><order id=\"12345678\"><item name=\"Tea\" value=\"12\"/></order></orders>",
        ),
        (
            JSON,
            r#"{"events":[{"type":"page_view","id":"12345678","ts":1700000000,"props":{"title":"Open day","value":"12345678"}}],"account":{"id":"87654321"}}"#,
        ),
        (
            JSON,
            r#"{"media_ids":["1289034871290348712"],"tags":["flu","clinic"],"counts":[12345,67890]}"#,
        ),
        (JSON, r#"[["dish","price"],["Soup","12.50"],["Tea","3"]]"#),
    ] {
        assert_eq!(passes(content_type, body), ["file", "body"], "{body}");
    }
}
