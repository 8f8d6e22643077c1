//! From a source's frame to the pixels that go on the canvas: crop, scale, colours, alpha, turn.
//!
//! Done only when frame or place change: a still picture, or a 25 fps file at 30 fps, costs nothing in between.

use gst_video::VideoFormat;
use gst_video::prelude::*;
use protocol::{Frame, Placement};

use super::blend::{self, Picture, Plane};
use super::geometry::{self, Geometry, Placed};
use super::tap::SourceFrame;
use super::turn::{self, Turned};

type Mapped = gst_video::VideoFrame<gst_video::video_frame::Readable>;

/// One item's pixels, kept from tick to tick.
#[derive(Default)]
pub(crate) struct Layer {
    made_from: Option<(SourceFrame, Geometry)>,
    scaler: Option<Scaler>,
    pixels: Option<Pixels>,
    turned: Turned,
    /// Memory to use again.
    spare: Option<(gst::Buffer, Vec<u8>)>,
}

enum Pixels {
    /// The source's own, from this corner on.
    Source(Mapped, Geometry),
    /// Scaled, at full and half size alpha if any.
    Scaled(Mapped, Vec<u8>),
    /// Turned, at this corner.
    Turned(usize, usize),
}

impl Layer {
    /// Takes in the frame of this tick. Whether there are other pixels now than before.
    pub fn update(
        &mut self,
        frame: Option<&SourceFrame>,
        placement: &Placement,
        canvas: &gst_video::VideoInfo,
    ) -> bool {
        let Some(frame) = frame else {
            return self.clear();
        };
        let size = Frame {
            width: frame.info.width(),
            height: frame.info.height(),
        };
        let par = frame.info.par();
        let pixel_aspect = f64::from(par.numer().max(1)) / f64::from(par.denom().max(1));
        let Some(geometry) = geometry::place(size, pixel_aspect, placement, canvas_frame(canvas)) else {
            return self.clear();
        };
        if let Some((before, place)) = &self.made_from
            && *place == geometry
            && before.same_picture(frame)
        {
            return false;
        }
        if self
            .scaler
            .as_ref()
            .is_none_or(|scaler| !scaler.fits(frame, &geometry))
        {
            self.scaler = match Scaler::new(frame, &geometry, canvas) {
                Ok(scaler) => Some(scaler),
                Err(error) => {
                    tracing::error!(%error, format = %frame.info.name(), "a source's pictures cannot be converted");
                    self.clear();
                    self.made_from = Some((frame.clone(), geometry));
                    return true;
                }
            };
        }
        self.pixels = self.render(frame, &geometry, canvas);
        self.made_from = Some((frame.clone(), geometry));
        true
    }

    fn clear(&mut self) -> bool {
        self.made_from = None;
        self.pixels.take().is_some()
    }

    fn render(
        &mut self,
        frame: &SourceFrame,
        geometry: &Geometry,
        canvas: &gst_video::VideoInfo,
    ) -> Option<Pixels> {
        let spare = match self.pixels.take() {
            Some(Pixels::Scaled(mapped, alpha)) => Some((mapped.into_buffer(), alpha)),
            _ => self.spare.take(),
        };
        let scaled = self.scaler.as_mut()?.scale(frame, spare)?;
        let pixels = match scaled {
            None => Pixels::Source(
                Mapped::from_buffer_readable(frame.buffer.clone(), &frame.info).ok()?,
                *geometry,
            ),
            Some((mapped, alpha)) => Pixels::Scaled(mapped, alpha),
        };
        match geometry.placed {
            Placed::Straight { .. } => Some(pixels),
            Placed::Turned { .. } => {
                let canvas = canvas_frame(canvas);
                let corner = turn::turn(&pixels.upright()?, &geometry.placed, canvas, &mut self.turned);
                if let Pixels::Scaled(mapped, alpha) = pixels {
                    self.spare = Some((mapped.into_buffer(), alpha));
                }
                corner.map(|(x, y)| Pixels::Turned(x, y))
            }
        }
    }

    /// Picture and corner, when there is anything to see.
    pub fn picture(&self) -> Option<(Picture<'_>, usize, usize)> {
        let pixels = self.pixels.as_ref()?;
        let (_, geometry) = self.made_from.as_ref()?;
        let (x, y) = match (pixels, geometry.placed) {
            (Pixels::Turned(x, y), _) => (*x, *y),
            (_, Placed::Straight { x, y }) => (x as usize, y as usize),
            (_, Placed::Turned { .. }) => return None,
        };
        let picture = match pixels {
            Pixels::Turned(..) => self.turned.picture(),
            upright => upright.upright()?,
        };
        Some((picture, x, y))
    }

    /// The source's own buffer, when that is the whole canvas already, byte for byte.
    pub fn whole_canvas(&self, canvas: &gst_video::VideoInfo) -> Option<&gst::Buffer> {
        let Some(Pixels::Source(mapped, geometry)) = &self.pixels else {
            return None;
        };
        let (frame, _) = self.made_from.as_ref()?;
        let same = geometry.scaled == canvas_frame(canvas)
            && frame.info.width() == canvas.width()
            && frame.info.height() == canvas.height()
            && mapped.plane_stride() == canvas.stride()
            && mapped.plane_offset() == canvas.offset()
            && frame.buffer.size() == canvas.size();
        same.then_some(&frame.buffer)
    }
}

impl Pixels {
    /// The pixels before any turning.
    fn upright(&self) -> Option<Picture<'_>> {
        match self {
            Self::Source(mapped, geometry) => {
                let crop = geometry.source;
                let plane = |index: u32, shift: u32| {
                    let stride = *mapped.plane_stride().get(index as usize)? as usize;
                    let start = (crop.y >> shift) as usize * stride + (crop.x >> shift) as usize;
                    let data = mapped.plane_data(index).ok()?.get(start..)?;
                    Some(Plane { data, stride })
                };
                Some(Picture {
                    width: crop.width as usize,
                    height: crop.height as usize,
                    planes: [plane(0, 0)?, plane(1, 1)?, plane(2, 1)?],
                    alpha: None,
                })
            }
            Self::Scaled(mapped, half_alpha) => {
                let plane = |index: u32| {
                    Some(Plane {
                        data: mapped.plane_data(index).ok()?,
                        stride: *mapped.plane_stride().get(index as usize)? as usize,
                    })
                };
                let alpha = match mapped.format() {
                    VideoFormat::A420 => Some([
                        plane(3)?,
                        Plane {
                            data: half_alpha,
                            stride: mapped.width() as usize / 2,
                        },
                    ]),
                    _ => None,
                };
                Some(Picture {
                    width: mapped.width() as usize,
                    height: mapped.height() as usize,
                    planes: [plane(0)?, plane(1)?, plane(2)?],
                    alpha,
                })
            }
            Self::Turned(..) => None,
        }
    }
}

/// Converts frames of one format to the pixels of one place.
struct Scaler {
    info: std::sync::Arc<gst_video::VideoInfo>,
    source: geometry::Rect,
    scaled: Frame,
    steps: Steps,
}

enum Steps {
    /// Nothing to do.
    None,
    /// Opaque: straight to I420.
    Opaque {
        converter: gst_video::VideoConverter,
        input: gst_video::VideoInfo,
        output: gst_video::VideoInfo,
    },
    /// With alpha: cut out as RGBA, premultiply, scale to A420. Scaling straight alpha would draw the colour of
    /// transparent pixels, usually black, into the edges.
    Alpha {
        cut: gst_video::VideoConverter,
        input: gst_video::VideoInfo,
        rgba: gst_video::VideoInfo,
        scratch: Option<gst::Buffer>,
        scale: gst_video::VideoConverter,
        output: gst_video::VideoInfo,
    },
}

/// Scaled frame and alpha at half size.
type Scaled = (Mapped, Vec<u8>);

impl Scaler {
    fn new(
        frame: &SourceFrame,
        geometry: &Geometry,
        canvas: &gst_video::VideoInfo,
    ) -> Result<Self, gst::glib::BoolError> {
        let info = &frame.info;
        let Geometry { source, scaled, .. } = *geometry;
        // Rates do not matter here, but the converter wants equal ones.
        let input = {
            let builder = gst_video::VideoInfo::builder_from_info(info)
                .fps(gst::Fraction::new(0, 1))
                .interlace_mode(gst_video::VideoInterlaceMode::Progressive);
            // Same numbers for the same colours: primaries and transfer are not converted.
            if same_colours(info, canvas) {
                builder.colorimetry(&canvas.colorimetry()).build()?
            } else {
                builder.build()?
            }
        };
        let target = |format, size: Frame| {
            gst_video::VideoInfo::builder(format, size.width, size.height)
                .fps(gst::Fraction::new(0, 1))
                .colorimetry(&canvas.colorimetry())
                .chroma_site(canvas.chroma_site())
                .build()
        };
        let cut_out = {
            let mut config = config();
            config.set_src_x(source.x as i32);
            config.set_src_y(source.y as i32);
            config.set_src_width(Some(source.width as i32));
            config.set_src_height(Some(source.height as i32));
            config
        };
        let unscaled = (source.width, source.height) == (scaled.width, scaled.height);
        let steps = if info.has_alpha() {
            let rgba = gst_video::VideoInfo::builder(VideoFormat::Rgba, source.width, source.height)
                .fps(gst::Fraction::new(0, 1))
                .build()?;
            let output = target(VideoFormat::A420, scaled)?;
            Steps::Alpha {
                cut: gst_video::VideoConverter::new(&input, &rgba, Some(cut_out))?,
                scale: gst_video::VideoConverter::new(&rgba, &output, Some(config()))?,
                input,
                rgba,
                scratch: None,
                output,
            }
        } else if unscaled && info.format() == VideoFormat::I420 && same_colours(info, canvas) {
            Steps::None
        } else {
            let output = target(VideoFormat::I420, scaled)?;
            Steps::Opaque {
                converter: gst_video::VideoConverter::new(&input, &output, Some(cut_out))?,
                input,
                output,
            }
        };
        Ok(Self {
            info: info.clone(),
            source,
            scaled,
            steps,
        })
    }

    fn fits(&self, frame: &SourceFrame, geometry: &Geometry) -> bool {
        self.source == geometry.source
            && self.scaled == geometry.scaled
            && (std::sync::Arc::ptr_eq(&self.info, &frame.info) || *self.info == *frame.info)
    }

    /// The outer `None`: the frame could not be read. The inner: it is good as it is.
    fn scale(
        &mut self,
        frame: &SourceFrame,
        spare: Option<(gst::Buffer, Vec<u8>)>,
    ) -> Option<Option<Scaled>> {
        let (spare, mut half_alpha) = spare.unzip();
        match &mut self.steps {
            Steps::None => Some(None),
            Steps::Opaque {
                converter,
                input,
                output,
            } => {
                let buffer = convert(converter, &frame.buffer, input, spare, output)?;
                Some(Some((
                    Mapped::from_buffer_readable(buffer, output).ok()?,
                    Vec::new(),
                )))
            }
            Steps::Alpha {
                cut,
                input,
                rgba,
                scratch,
                scale,
                output,
            } => {
                let mut pixels = convert(cut, &frame.buffer, input, scratch.take(), rgba)?;
                {
                    let mut map = pixels.get_mut()?.map_writable().ok()?;
                    blend::premultiply(&mut map);
                }
                let buffer = convert(scale, &pixels, rgba, spare, output)?;
                *scratch = Some(pixels);
                let mapped = Mapped::from_buffer_readable(buffer, output).ok()?;
                let half = half_alpha.get_or_insert_default();
                let alpha = Plane {
                    data: mapped.plane_data(3).ok()?,
                    stride: *mapped.plane_stride().get(3)? as usize,
                };
                blend::halve(alpha, mapped.width() as usize, mapped.height() as usize, half);
                Some(Some((mapped, half_alpha.unwrap_or_default())))
            }
        }
    }
}

/// Converts into `spare` if that has the right size, else into new memory.
fn convert(
    converter: &gst_video::VideoConverter,
    from: &gst::Buffer,
    input: &gst_video::VideoInfo,
    spare: Option<gst::Buffer>,
    output: &gst_video::VideoInfo,
) -> Option<gst::Buffer> {
    let mut buffer = match spare {
        Some(buffer) if buffer.size() == output.size() && buffer.is_writable() => buffer,
        _ => gst::Buffer::with_size(output.size()).ok()?,
    };
    {
        let from = gst_video::VideoFrameRef::from_buffer_ref_readable(from, input).ok()?;
        let mut to = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer.get_mut()?, output).ok()?;
        converter.frame_ref(&from, &mut to);
    }
    Some(buffer)
}

/// Bilinear with as many taps as shrinking needs; nothing else converted than asked for.
fn config() -> gst_video::VideoConverterConfig {
    let mut config = gst_video::VideoConverterConfig::new();
    config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
    config.set_dither_method(gst_video::VideoDitherMethod::None);
    config.set_threads(1);
    config
}

fn same_colours(a: &gst_video::VideoInfo, b: &gst_video::VideoInfo) -> bool {
    let (a, b) = (a.colorimetry(), b.colorimetry());
    a.range() == b.range() && a.matrix() == b.matrix()
}

pub(crate) fn canvas_frame(info: &gst_video::VideoInfo) -> Frame {
    Frame {
        width: info.width(),
        height: info.height(),
    }
}
