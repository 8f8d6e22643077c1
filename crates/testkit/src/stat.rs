//! What nginx's RTMP module says about its streams: its stat page, as XML.

use roxmltree::{Document, Node};

use crate::PeerError;

/// The stat page at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stat {
    /// The streams of all applications.
    pub streams: Vec<StatStream>,
}

/// One stream on the stat page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatStream {
    /// The name as it was published, without its query.
    pub name: String,
    /// Whether someone publishes it now; players may wait for a stream that nobody publishes.
    pub publishing: bool,
    /// Bytes received since the publisher came.
    pub bytes_in: u64,
    /// Milliseconds since the publisher came.
    pub time_ms: u64,
    /// Players, without the publisher.
    pub players: usize,
    /// Picture width as the publisher's metadata says, 0 if it says nothing.
    ///
    /// There is no height here: the module reports it wrongly when it is not a multiple of 16.
    pub width: u32,
}

impl Stat {
    /// Reads the page.
    ///
    /// # Errors
    /// [`PeerError::Unreadable`] when it is not XML.
    pub fn parse(xml: &str) -> Result<Self, PeerError> {
        let document = Document::parse(xml).map_err(|error| PeerError::unreadable("the stat page", error))?;
        let streams = document
            .descendants()
            .filter(|node| node.has_tag_name("stream"))
            .map(stream)
            .collect();
        Ok(Self { streams })
    }

    /// The stream called `name`, if it is listed.
    pub fn stream(&self, name: &str) -> Option<&StatStream> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

fn stream(node: Node<'_, '_>) -> StatStream {
    let publishing = child(node, "publishing").is_some();
    let clients = node.children().filter(|node| node.has_tag_name("client")).count();
    let video = child(node, "meta").and_then(|meta| child(meta, "video"));
    StatStream {
        name: text(node, "name").unwrap_or_default().to_owned(),
        publishing,
        bytes_in: number(node, "bytes_in"),
        time_ms: number(node, "time"),
        players: clients.saturating_sub(usize::from(publishing)),
        width: video.map_or(0, |video| u32::try_from(number(video, "width")).unwrap_or(0)),
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|node| node.has_tag_name(name))
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name).and_then(|node| node.text())
}

fn number(node: Node<'_, '_>, name: &str) -> u64 {
    text(node, name)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_publisher_is_no_player() {
        let xml = "<rtmp><server><application><name>live</name><live><stream><name>a&amp;b</name>\
            <time>1200</time><bytes_in>77</bytes_in><client><id>1</id><publishing/></client>\
            <client><id>2</id></client><meta><video><width>1280</width></video></meta>\
            <publishing/><active/></stream><stream><name>waiting</name><client/></stream>\
            </live></application></server></rtmp>";
        let stat = Stat::parse(xml).unwrap();
        let on_air = stat.stream("a&b").unwrap();
        assert_eq!((on_air.publishing, on_air.players, on_air.width), (true, 1, 1280));
        assert_eq!((on_air.bytes_in, on_air.time_ms), (77, 1200));
        assert_eq!(
            stat.stream("waiting").map(|s| (s.publishing, s.players)),
            Some((false, 1))
        );
        assert!(Stat::parse("<rtmp>").is_err(), "half a page is an error");
    }
}
