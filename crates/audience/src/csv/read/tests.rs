use super::*;

fn good(text: &str) -> Vec<Found> {
    let table = read(text.as_bytes()).expect("a table");
    assert_eq!(table.wrong_lines, [], "{text}");
    table.products
}

fn wrong(text: &str) -> Vec<(u32, String, WrongLineReason)> {
    let table = read(text.as_bytes()).expect("a table");
    table
        .wrong_lines
        .into_iter()
        .map(|w| (w.line, w.column, w.reason))
        .collect()
}

fn amount(text: &str) -> Option<u64> {
    let table = read(format!("title;price;currency\nMug;{text};EUR\n").as_bytes()).expect("a table");
    table
        .products
        .first()
        .and_then(|p| p.price.as_ref())
        .map(|p| p.minor)
}

#[test]
fn an_english_table_is_read() {
    let products = good(
        "Title,SKU,Price,Regular price,Currency,Stock,Link,Image,Colour\n\
         \"Nocturne LP, signed\",N-7,32.30,38.00,EUR,18,https://s.example/7,https://s.example/7.jpg,black\n\
         Mug,,5,,usd,,,,\n",
    );
    assert_eq!(products[0].title.as_str(), "Nocturne LP, signed");
    let price = products[0].price.as_ref().unwrap();
    assert_eq!((price.minor, price.was_minor), (3230, Some(3800)));
    assert_eq!((products[0].left, products[0].buyable), (Some(18), true));
    assert_eq!(products[1].price.as_ref().unwrap().currency, "USD");
}

#[test]
fn a_french_spreadsheet_is_read_as_excel_saves_it() {
    let french = "Désignation;Référence;Prix;Prix barré;Devise;Quantité\r\n\
        Crème brûlée;CB-1;1\u{a0}234,50\u{a0}€;1\u{a0}500;EUR;0\r\n";
    let utf8 = good(&format!("\u{feff}{french}"));
    assert_eq!(utf8[0].title.as_str(), "Crème brûlée");
    let price = utf8[0].price.as_ref().unwrap();
    assert_eq!((price.minor, price.was_minor), (123_450, Some(150_000)));
    assert!(!utf8[0].buyable, "none is left");
    let (windows, _, _) = WINDOWS_1252.encode(french);
    assert_eq!(read(&windows).unwrap().products, utf8);
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(french.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(read(&utf16).unwrap().products, utf8);
    assert_eq!(good(&french.replace(';', "\t")), utf8);
}

#[test]
fn amounts_are_taken_with_point_or_comma_and_never_guessed() {
    for (text, minor) in [
        ("12,90", 1290),
        ("12.90", 1290),
        ("12", 1200),
        ("12,9", 1290),
        ("1 234,50", 123_450),
        ("1.234,50", 123_450),
        ("1'234.50", 123_450),
        ("12,90 €", 1290),
        ("€12.90", 1290),
        ("EUR 12.90", 1290),
        ("1.234.567", 123_456_700),
        ("12.0000", 1200),
    ] {
        assert_eq!(amount(text), Some(minor), "{text}");
    }
    for text in [
        "1,234",
        "1.234",
        "12,905",
        "abc",
        "-5",
        "1e5",
        "12,34,5",
        "1.23,456.7",
        "..",
        "€",
        "1,2,3",
        "∞",
        "12 dollars and 5",
    ] {
        assert_eq!(amount(text), None, "{text} may mean anything");
    }
}

#[test]
fn a_wrong_line_names_its_line_and_column() {
    use WrongLineReason::{Address, Amount, Count, Currency, NoTitle, Shape, TooLong};
    let table = "Titre;Prix;Devise;Stock;Lien\n;1;EUR;;\nA;x;EUR;;\n\"B\nb\";1;EURO;;\nC;1;;;\nD;1;EUR;-1;\n\
        E;1;EUR;;javascript:alert(1)\nF;1;EUR;;;;more\n\nG;1;EUR;2;https://s.example\n";
    let named = |line, column: &str, reason| (line, column.to_owned(), reason);
    assert_eq!(
        wrong(table),
        [
            named(2, "Titre", NoTitle),
            named(3, "Prix", Amount),
            named(4, "Devise", Currency),
            named(6, "Prix", Currency),
            named(7, "Stock", Count),
            named(8, "Lien", Address),
            named(9, "", Shape),
        ]
    );
    assert_eq!(
        read(table.as_bytes()).unwrap().products.len(),
        1,
        "the good one is there as well"
    );
    let windows = table.replace('\n', "\r\n");
    let lines = |table: &str| {
        wrong(table)
            .into_iter()
            .map(|(line, ..)| line)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&windows),
        lines(table),
        "Windows ends its lines with two signs"
    );
    let long = format!("title\n{}\n", "x".repeat(201));
    assert_eq!(wrong(&long), [named(2, "title", TooLong)]);
}

#[test]
fn a_file_that_is_no_table_is_refused() {
    for bad in [
        "",
        "\n\n",
        "price,currency\n1,EUR\n",
        "%PDF-1.7\n…",
        "<html><title>x</title>",
        "\0\0\0\0",
    ] {
        assert_eq!(read(bad.as_bytes()), Err(CsvError::NoTitles), "{bad:?}");
    }
    let many = format!("title\n{}", "x\n".repeat(MOST_LINES + 1));
    assert_eq!(read(many.as_bytes()), Err(CsvError::TooMany));
    assert_eq!(read(&vec![b'a'; MOST_BYTES + 1]), Err(CsvError::TooLarge));
}

#[test]
fn hostile_files_end_and_tell_no_more_than_they_should() {
    let endless = format!("title;price\n\"{}", "x;y\n".repeat(50_000));
    assert_eq!(
        read(endless.as_bytes()).unwrap().wrong,
        1,
        "a quote that never ends is one wrong line"
    );
    let all_wrong = format!("title;stock\n{}", "A;many\n".repeat(5000));
    let table = read(all_wrong.as_bytes()).unwrap();
    assert_eq!((table.wrong, table.wrong_lines.len()), (5000, TOLD));
    let wide = format!("title{}\nA{}\n", ";x".repeat(20_000), ";1".repeat(20_000));
    assert_eq!(good(&wide).len(), 1);
    let formula = good("title;sku\n=HYPERLINK(\"x\");+1\n");
    assert_eq!(formula[0].title.as_str(), "=HYPERLINK(\"x\")", "text stays text");
    let control = good("title\nA\u{0}B\u{1b}[2J\n");
    assert!(
        !control[0].title.as_str().contains('\u{1b}'),
        "nothing that a terminal would obey"
    );
    // Bytes of every kind, from one seed: no text of them may end the reader.
    let mut seed = 7_u32;
    for _ in 0..2000 {
        let mut bytes = b"title;price;currency\n".to_vec();
        for _ in 0..60 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push(b"a;,\"\n\r\t.0 \xff\xc3\xa9\0\xe2\x82\xac-'1"[(seed >> 16) as usize % 20]);
        }
        let _any = read(&bytes);
    }
}
