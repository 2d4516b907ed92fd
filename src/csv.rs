//! Cells of a CSV file that a spreadsheet may open.

/// Quotes a cell, and disarms what a spreadsheet would run as a formula (ASVS 1.2.10; OWASP, CSV injection).
pub fn cell(text: &str) -> String {
    let dangerous = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠']);
    let text = text.replace('"', "\"\"");
    if dangerous { format!("\"'{text}\"") } else { format!("\"{text}\"") }
}

/// A whole row, with the end of its line.
pub fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_quotes_doubled() {
        assert_eq!(cell("Starter"), "\"Starter\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("say \"hi\", now"), "\"say \"\"hi\"\", now\"");
        for formula in ["@SUM(A1)", "-2+3", "+1", "\t=1", "\r=1", "\n=1", "\0=1", "＝1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
        assert_eq!(row(["a", "=b"]), "\"a\",\"'=b\"\r\n");
    }
}
