//! Search: words and their beginnings, without accents, answered from the index.

use protocol::Product;
use sqlx::{AssertSqlSafe, Row};

use super::Catalogue;
use super::products::SHOWN;
use crate::StoreError;

/// Matches are counted and ranked up to here. Whoever finds more types another letter; a full count of a word that
/// stands in every product would cost as long as all of them.
const COUNTED: u32 = 1000;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The page that was asked for, best first.
    pub products: Vec<Product>,
    /// All that match; without words exact, with them counted up to 1000.
    pub count: u32,
}

impl Catalogue {
    /// Products whose title, number or categories have words that begin like each of these; without a word all of
    /// them, by title.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn search(&self, words: &str, offset: u32, limit: u32) -> Result<Found, StoreError> {
        let matching = matching(words);
        let (page, count) = if matching.is_empty() {
            (
                format!(
                    "SELECT {SHOWN} FROM products p ORDER BY p.title COLLATE NOCASE, p.number LIMIT ?2 OFFSET ?3"
                ),
                "SELECT count(*) AS found FROM products WHERE ?1 = ''".to_owned(),
            )
        } else {
            (
                format!(
                    "SELECT {SHOWN} FROM (SELECT rowid, bm25(product_words, 10, 20, 1) AS score FROM product_words \
                     WHERE product_words MATCH ?1 LIMIT {COUNTED}) w JOIN products p ON p.number = w.rowid \
                     ORDER BY w.score, p.number LIMIT ?2 OFFSET ?3"
                ),
                format!(
                    "SELECT count(*) AS found FROM (SELECT 1 FROM product_words WHERE product_words MATCH ?1 \
                     LIMIT {COUNTED})"
                ),
            )
        };
        let rows = sqlx::query(AssertSqlSafe(page))
            .bind(&matching)
            .bind(limit)
            .bind(offset)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.failed(e))?;
        let products = rows.iter().map(|row| self.shown(row)).collect::<Result<_, _>>()?;
        let row = sqlx::query(AssertSqlSafe(count))
            .bind(&matching)
            .fetch_one(&self.readers)
            .await
            .map_err(|e| self.failed(e))?;
        let count: i64 = row.try_get("found").map_err(|e| self.failed(e))?;
        Ok(Found {
            products,
            count: u32::try_from(count).unwrap_or(u32::MAX),
        })
    }
}

/// What a person typed as a question to FTS5: each word in quotes, where nothing is an operator, as a beginning.
fn matching(words: &str) -> String {
    let quoted = words
        .split_whitespace()
        .map(|word| word.replace(['"', '\0'], ""))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{word}\"*"));
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_typed_is_an_operator() {
        assert_eq!(matching("lp  signed"), r#""lp"* "signed"*"#);
        assert_eq!(matching(r#"a" OR title:*"#), r#""a"* "OR"* "title:*"*"#);
        assert_eq!(matching("- * \" ( NEAR("), r#""NEAR("*"#);
        assert_eq!(matching(" ' "), "");
    }
}
