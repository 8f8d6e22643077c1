//! The one table.

/// One line of the table.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The studio's figure with its unit.
    pub studio: String,
    /// The peer's figure in the same run, or what it is compared with.
    pub peer: String,
    /// The studio's figure, or its ratio to the peer's, and the most that it may be; none to report only.
    pub limit: Option<(f64, f64)>,
}

impl Row {
    /// A figure that stands alone and may be at most `most`, both in `unit`.
    pub fn at_most(what: &str, value: f64, most: f64, unit: &str) -> Self {
        let digits = if most < 10.0 { 2 } else { 0 };
        Self {
            what: what.to_owned(),
            studio: format!("{value:.digits$} {unit}"),
            peer: "–".to_owned(),
            limit: Some((value, most)),
        }
    }

    /// A figure that is only reported.
    pub fn report(what: &str, studio: String) -> Self {
        Self {
            what: what.to_owned(),
            studio,
            peer: "–".to_owned(),
            limit: None,
        }
    }
}

/// The rows as a Markdown table, which also reads well on a terminal.
pub fn markdown(rows: &[Row]) -> String {
    let head = ["what", "studio", "peer", "measured / limit", ""].map(str::to_owned);
    let mut lines = vec![head];
    for row in rows {
        let (limit, verdict) = match row.limit {
            // NaN is above every limit: nothing measured is no success.
            Some((value, most)) => (
                format!("{value:.2} / {most:.2}"),
                if value <= most { "kept" } else { "EXCEEDED" },
            ),
            None => ("–".to_owned(), ""),
        };
        lines.push([
            row.what.clone(),
            row.studio.clone(),
            row.peer.clone(),
            limit,
            verdict.to_owned(),
        ]);
    }
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let shown = |line: &[String; 5]| {
        let cells = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!(" {cell:<width$} "))
            .collect::<Vec<_>>();
        format!("|{}|", cells.join("|"))
    };
    let rule = format!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"));
    let mut text = vec![shown(&lines[0]), rule];
    text.extend(lines[1..].iter().map(shown));
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_judged() {
        let rows = [
            Row::at_most("a", 90.0, 100.0, "ms"),
            Row::at_most("b", f64::NAN, 1.0, "s"),
        ];
        let text = markdown(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].contains("kept"), "{text}");
        assert!(
            lines[3].contains("EXCEEDED"),
            "nothing measured is no success: {text}"
        );
        let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        assert!(
            widths.windows(2).all(|pair| pair[0] == pair[1]),
            "columns stand under each other: {text}"
        );
    }
}
