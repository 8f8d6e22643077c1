//! What a desk can ask for.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    AudioControls, Db, DestinationId, DestinationKind, DeviceId, Imported, ItemId, Offer, Overlay,
    OverlayKind, OverlayLook, Placement, Product, ProductDraft, ProductId, SceneId, Settings, ShopId,
    ShopKeys, SourceId, SourceSettings, Text, Transition,
};

/// A source to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SourceDraft {
    /// What the host calls it, 1 to 60 characters.
    pub name: String,
    /// What it shows or plays.
    pub settings: SourceSettings,
}

/// A scene to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SceneDraft {
    /// What the host calls it, 1 to 60 characters.
    pub name: String,
}

/// A destination to be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct DestinationDraft {
    /// What the host calls it, 1 to 60 characters.
    pub name: String,
    /// What and where. `has_key` is ignored: the engine knows.
    pub kind: DestinationKind,
}

/// What a desk asks the engine to do. Each is answered by a [`Reply`] or a [`crate::UserError`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum Command {
    /// Begin the show on every enabled destination.
    GoLive,
    /// End it. The desk has asked before.
    EndShow,
    /// What viewers read above the picture, at most 140 characters.
    NameShow {
        /// The title; empty for none.
        title: String,
    },

    /// Make a source; with a scene, also place it there, over the others.
    AddSource {
        /// The source.
        draft: SourceDraft,
        /// Where to place it.
        scene: Option<SceneId>,
        /// Its place in that scene; `None` is the whole canvas, for words the lower third.
        placement: Option<Placement>,
    },
    /// Other settings for a source.
    ChangeSource {
        /// Which.
        source: SourceId,
        /// The new ones; the kind may change too.
        settings: SourceSettings,
    },
    /// Another name.
    RenameSource {
        /// Which.
        source: SourceId,
        /// 1 to 60 characters.
        name: String,
    },
    /// Remove a source and every place that it has in scenes.
    RemoveSource {
        /// Which.
        source: SourceId,
    },
    /// Its strip in the mixer.
    SetAudio {
        /// Which.
        source: SourceId,
        /// The strip, whole.
        audio: AudioControls,
    },
    /// Pause or go on with a media file.
    PauseFile {
        /// Which.
        source: SourceId,
        /// Stand still.
        paused: bool,
    },
    /// Go to a place in a media file.
    SeekFile {
        /// Which.
        source: SourceId,
        /// Where, in milliseconds from its start.
        position_ms: u32,
    },
    /// Try a waiting or failed source again now.
    RetrySource {
        /// Which.
        source: SourceId,
    },
    /// Open cameras, screens and microphones for their small pictures and meters (first-run steps), or close them.
    Audition {
        /// Open.
        on: bool,
    },

    /// Make an empty scene, after the others.
    AddScene {
        /// The scene.
        draft: SceneDraft,
    },
    /// Make a copy of a scene, after it.
    DuplicateScene {
        /// Which.
        scene: SceneId,
        /// The copy's name, 1 to 60 characters.
        name: String,
    },
    /// Another name.
    RenameScene {
        /// Which.
        scene: SceneId,
        /// 1 to 60 characters.
        name: String,
    },
    /// Remove a scene that is not on air.
    RemoveScene {
        /// Which.
        scene: SceneId,
    },
    /// Another place in the list.
    MoveScene {
        /// Which.
        scene: SceneId,
        /// From 0, counted without it.
        to: u32,
    },
    /// Place a source in a scene, over the others.
    AddItem {
        /// Where.
        scene: SceneId,
        /// What.
        source: SourceId,
    },
    /// Take a placed source away.
    RemoveItem {
        /// Where.
        scene: SceneId,
        /// Which.
        item: ItemId,
    },
    /// Put a placed source elsewhere. Commands of one drag carry the same `gesture`: they are undone together.
    PlaceItem {
        /// Where.
        scene: SceneId,
        /// Which.
        item: ItemId,
        /// The new place.
        placement: Placement,
        /// The desk's number of the drag; `None` stands alone.
        gesture: Option<u32>,
    },
    /// Show or hide, lock or unlock.
    FlagItem {
        /// Where.
        scene: SceneId,
        /// Which.
        item: ItemId,
        /// Shown.
        visible: bool,
        /// Not to be moved by hand.
        locked: bool,
    },
    /// Nearer to the front or the back.
    MoveItem {
        /// Where.
        scene: SceneId,
        /// Which.
        item: ItemId,
        /// From 0 at the back, counted without it.
        to: u32,
    },
    /// Take the last scene edit back.
    Undo,
    /// Do it again.
    Redo,

    /// Choose a scene: into the preview in studio mode, else on air by the set transition.
    SelectScene {
        /// Which.
        scene: SceneId,
    },
    /// Put the preview on air.
    Take {
        /// How.
        transition: Transition,
    },
    /// The transition that `SelectScene` and the desk's fade key use.
    SetTransition {
        /// Which.
        transition: Transition,
    },
    /// Studio mode on or off.
    SetStudioMode {
        /// On.
        on: bool,
    },
    /// The master fader.
    SetMaster {
        /// Fader.
        gain: Db,
        /// Silent.
        muted: bool,
    },
    /// Canvas, rates, encoder. Canvas and encoder only off air.
    SetSettings {
        /// All of them.
        settings: Settings,
    },

    /// Make a destination.
    AddDestination {
        /// The place.
        draft: DestinationDraft,
        /// Its stream key, into the keyring.
        key: Option<String>,
    },
    /// Change a destination; a running output takes it up at its next start.
    ChangeDestination {
        /// Which.
        destination: DestinationId,
        /// The place.
        draft: DestinationDraft,
        /// A new stream key; `None` keeps the one in the keyring.
        key: Option<String>,
    },
    /// Remove a destination; its output stops first.
    RemoveDestination {
        /// Which.
        destination: DestinationId,
    },
    /// Whether it goes live with the show. On air this starts or stops its output.
    EnableDestination {
        /// Which.
        destination: DestinationId,
        /// On.
        on: bool,
    },
    /// Connect a failed or waiting output again now.
    RetryOutput {
        /// Which.
        destination: DestinationId,
    },
    /// Pause or go on with a recording.
    PauseRecording {
        /// Which.
        destination: DestinationId,
        /// Paused.
        paused: bool,
    },
    /// Begin a new file now.
    SplitRecording {
        /// Which.
        destination: DestinationId,
    },
    /// List the folders and media files of a folder on the engine's machine.
    ListFolder {
        /// Absolute path; `None` is the home folder.
        path: Option<String>,
    },
    /// Link to the page on which the host runs the chat of the room. Whoever opens it is the host: it is answered to
    /// the one desk that asks, and stands in no state.
    ChatLink,

    /// Connect a shop; its products are then read in the background.
    AddShop {
        /// Where it is, as a person typed it.
        url: String,
        /// Its keys, into the keyring.
        keys: ShopKeys,
    },
    /// Another address or other keys; its products are read again.
    ChangeShop {
        /// Which.
        shop: ShopId,
        /// Where it is, as a person typed it.
        url: String,
        /// New keys; `None` keeps those in the keyring.
        keys: Option<ShopKeys>,
    },
    /// Forget a shop, its keys and its products.
    RemoveShop {
        /// Which.
        shop: ShopId,
    },
    /// Read all products of a shop again, in the background.
    RefreshShop {
        /// Which.
        shop: ShopId,
    },
    /// Take products of the host's own from a CSV file on the engine's machine. A product with a number or, without
    /// one, a title that is there already is changed, not added again.
    ImportProducts {
        /// Absolute path.
        path: String,
        /// Take the lines that can be used though others cannot.
        leave_out_wrong: bool,
    },
    /// Make a product of the host's own.
    AddProduct {
        /// The product.
        draft: ProductDraft,
    },
    /// Change a product of the host's own.
    ChangeProduct {
        /// Which.
        product: ProductId,
        /// The product.
        draft: ProductDraft,
    },
    /// Remove a product of the host's own, also from the show.
    RemoveProduct {
        /// Which.
        product: ProductId,
    },
    /// Products by the beginnings of words of title, number or category; without a word all, by title. Answered from
    /// the laptop alone.
    SearchProducts {
        /// What a person typed.
        words: Text<200>,
        /// So many are passed over.
        offset: u32,
        /// At most so many, `1..=100`.
        limit: u32,
    },
    /// Take a product into the show, after the others.
    ChooseProduct {
        /// Which.
        product: ProductId,
    },
    /// Leave a product out of the show.
    LeaveProduct {
        /// Which.
        product: ProductId,
    },
    /// Another place among the show's products.
    MoveProduct {
        /// Which.
        product: ProductId,
        /// From 0, counted without it.
        to: u32,
    },
    /// Note, promo code and countdown of one of the show's products.
    SetOffer {
        /// Which.
        product: ProductId,
        /// All three.
        offer: Offer,
    },
    /// Show products of the show beside the picture, in place of those that are there; none for none.
    FeatureProducts {
        /// At most three.
        products: Vec<ProductId>,
    },

    /// Put an overlay on the program's picture, in place of the one of its kind.
    ShowOverlay {
        /// What it shows.
        overlay: Overlay,
    },
    /// Have an overlay ready, in place of the one of its kind; one that is on the picture changes there.
    PrepareOverlay {
        /// What it shows.
        overlay: Overlay,
    },
    /// Take an overlay off the picture; it stays ready.
    HideOverlay {
        /// Which.
        overlay: OverlayKind,
    },
    /// Colours, font and places of overlays.
    SetOverlayLook {
        /// All of them.
        look: OverlayLook,
    },
    /// Link to the page that shows the overlays on nothing, for the browser source of OBS. It is answered to the one
    /// desk that asks, and stands in no state.
    OverlayLink,

    /// What the first-run steps chose: a source for each device, all in the scene on air, the first picture filling
    /// it and the others small in its corners.
    UseDevices {
        /// Cameras, screens, microphones, in the order of choice.
        devices: Vec<DeviceId>,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
#[ts(export)]
pub enum Reply {
    /// Done; what changed comes as events, before this reply.
    Done,
    /// A source was made.
    Source {
        /// Its id.
        id: SourceId,
    },
    /// A scene was made.
    Scene {
        /// Its id.
        id: SceneId,
    },
    /// A place in a scene was made.
    Item {
        /// Its id.
        id: ItemId,
    },
    /// A destination was made.
    Destination {
        /// Its id.
        id: DestinationId,
    },
    /// A shop was connected.
    Shop {
        /// Its id.
        id: ShopId,
    },
    /// A product was made.
    Product {
        /// Its id.
        id: ProductId,
    },
    /// What a search found.
    Products {
        /// Best first.
        products: Vec<Product>,
        /// All that match; counted up to 1000, then "1000" means that or more.
        found: u32,
    },
    /// What came of reading a file.
    Imported(Imported),
    /// A link, to be opened or handed over by the host alone.
    Link {
        /// `http://…`, with a secret behind its `#`.
        url: String,
    },
    /// What a folder holds.
    Folder {
        /// Absolute path of the folder.
        path: String,
        /// The folder above, if any.
        parent: Option<String>,
        /// Names of folders in it.
        folders: Vec<String>,
        /// Names of media files and pictures in it.
        files: Vec<String>,
    },
}
