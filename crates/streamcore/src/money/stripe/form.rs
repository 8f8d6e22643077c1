//! Forms as Stripe reads them: `application/x-www-form-urlencoded`, with brackets for what is inside of something.

use url::form_urlencoded::Serializer;

/// A form. Names are given as Stripe documents them, as `line_items[0][price_data][currency]`.
#[derive(Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Adds a field.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The body of a request. Brackets are escaped like everything else; Stripe reads both.
    pub fn body(&self) -> String {
        let mut out = Serializer::new(String::new());
        for (name, value) in &self.0 {
            out.append_pair(name, value);
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_typed_cannot_become_a_field() {
        let body = Form::default().with("metadata[name]", "a&amount=1 é+]=[").body();
        assert_eq!(body, "metadata%5Bname%5D=a%26amount%3D1+%C3%A9%2B%5D%3D%5B");
    }
}
