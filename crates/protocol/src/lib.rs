//! What desk and engine say to each other: commands, events, the state that both look at.
//!
//! Plain data, no I/O. Every type here is parsed at the border: a value that deserializes is a value that
//! may be used, so ranges and lengths are checked in `TryFrom`, not later. TypeScript for the desk is
//! generated from these types by `cargo xtask gen`; integers stay below 2^53 so that they survive it.

mod canvas;
mod command;
mod destination;
mod device;
mod error;
mod health;
mod id;
mod message;
mod meters;
mod output;
mod overlay;
mod picture;
mod product;
mod rendition;
mod scene;
mod shop;
mod show;
mod source;
mod state;
mod units;

pub use canvas::{Canvas, CanvasError, Frame, MAX_LONG_SIDE, MAX_SHORT_SIDE};
pub use command::{Command, DestinationDraft, Reply, SceneDraft, SourceDraft};
pub use destination::{Container, Destination, DestinationKind, RecordingSettings, RtmpUrl, RtmpUrlError};
pub use device::{Audition, Device, DeviceKind};
pub use error::{ErrorCode, Params, Severity, UserError};
pub use health::{HealthCode, HealthIssue, Laptop};
pub use id::{
    DestinationId, DeviceId, IdError, ItemId, ProductId, RenditionId, RoomId, SceneId, ShopId, SourceId,
};
pub use message::{ClientMessage, MAX_MESSAGE_BYTES, PROTOCOL_VERSION, ServerMessage, Watch};
pub use meters::{ChannelLevel, Levels, Loudness, Meters, StripMeter};
pub use output::{Output, OutputState, RecordingStatus};
pub use overlay::{
    Overlay, OverlayKind, OverlayLook, OverlayPlace, OverlayPlaces, Overlays, PreparedOverlay,
};
pub use picture::{PictureHeader, PictureKind};
pub use product::{
    Imported, Offer, Price, Product, ProductDraft, ShowProduct, ShowProducts, Stock, Text, WrongLine,
    WrongLineReason,
};
pub use rendition::{EncoderChoice, EncoderInfo, H264Profile, HighRendition, Rendition};
pub use scene::{Crop, Fit, Placement, PlacementError, Scene, SceneItem, Transition};
pub use shop::{Shop, ShopKeys, ShopPhase, ShopUrl, ShopUrlError};
pub use show::{Show, ShowPhase};
pub use source::{
    AudioControls, Colour, ColourError, Source, SourceKind, SourceSettings, SourceState, SourceStatus,
    TextStyle,
};
pub use state::{Event, History, ProgramState, Settings, State, StreamCoreState};
pub use units::{Db, KilobitsPerSecond, RangeError};
