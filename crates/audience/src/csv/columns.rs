//! Which column is which, by its heading.

use csv::StringRecord;

/// A column that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Title,
    Price,
    Currency,
    RegularPrice,
    Stock,
    Link,
    Image,
    Sku,
}

/// Headings in English and French, lower case, without accents, with spaces for `_` and `-`. WooCommerce's own
/// exports have "Nom", "UGS", "Tarif régulier" and the like.
const HEADINGS: &[(Column, &[&str])] = &[
    (
        Column::Title,
        &[
            "title",
            "name",
            "product",
            "product name",
            "titre",
            "nom",
            "produit",
            "designation",
            "article",
        ],
    ),
    (
        Column::Price,
        &[
            "price",
            "sale price",
            "prix",
            "prix de vente",
            "prix promo",
            "prix ttc",
            "tarif promo",
            "tarif",
        ],
    ),
    (Column::Currency, &["currency", "devise", "monnaie"]),
    (
        Column::RegularPrice,
        &[
            "regular price",
            "old price",
            "was",
            "prix normal",
            "prix barre",
            "prix regulier",
            "tarif regulier",
            "ancien prix",
        ],
    ),
    (
        Column::Stock,
        &[
            "stock",
            "quantity",
            "in stock",
            "quantite",
            "en stock",
            "stock quantity",
        ],
    ),
    (
        Column::Link,
        &["link", "url", "permalink", "address", "lien", "adresse"],
    ),
    (
        Column::Image,
        &["image", "images", "picture", "photo", "image url"],
    ),
    (
        Column::Sku,
        &["sku", "reference", "ref", "number", "ugs", "code", "code article"],
    ),
];

/// Where each column stands in the first line.
#[derive(Debug)]
pub struct Columns {
    places: Vec<(Column, usize)>,
}

impl Columns {
    /// By the first line.
    pub fn of(headings: &StringRecord) -> Self {
        let mut places = Vec::new();
        for (at, heading) in headings.iter().enumerate() {
            let heading = bare(heading);
            let known = HEADINGS
                .iter()
                .find(|(_, names)| names.contains(&heading.as_str()));
            if let Some((column, _)) = known
                && places.iter().all(|(taken, _)| taken != column)
            {
                places.push((*column, at));
            }
        }
        Self { places }
    }

    /// Where a column stands.
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places
            .iter()
            .find(|(known, _)| *known == column)
            .map(|(_, at)| *at)
    }

    /// A field of a line; empty where there is no such column.
    pub fn field<'a>(&self, line: &'a StringRecord, column: Column) -> &'a str {
        self.place(column)
            .and_then(|at| line.get(at))
            .unwrap_or_default()
            .trim()
    }
}

fn bare(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let plain = heading.chars().map(|c| match c {
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'à' | 'â' => 'a',
        'î' | 'ï' => 'i',
        'ô' => 'o',
        'û' | 'ù' => 'u',
        'ç' => 'c',
        '_' | '-' | '\u{a0}' => ' ',
        c => c,
    });
    plain.collect()
}
