//! Pictures from an X server, taken by a thread of its own at the canvas's rate.
//!
//! Not by ximagesrc: Xlib ends the whole process when a captured window is closed or its server dies. Here both are
//! errors like any other. Pixels come through shared memory that the server writes and this thread reads as a file.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use gst::ClockTime;
use protocol::{DeviceKind, ErrorCode, UserError};
use x11rb::{
    connection::Connection,
    protocol::{
        composite::{ConnectionExt as _, Redirect},
        shm::ConnectionExt as _,
        xfixes::ConnectionExt as _,
        xproto::{ConnectionExt as _, Drawable, ImageFormat, Window},
    },
    rust_connection::RustConnection,
};

use super::{actor::Inside, error::Trouble, grid::Grid, player::Surroundings, pool::Pool};
use crate::device::x11::Area;

/// Larger windows do not exist, and no memory is taken for them.
const MOST_SIDE: u16 = 8192;

/// What is captured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Area(Area),
    Window(Window),
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A running capture; dropping it ends its thread.
pub(crate) struct Grab {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Grab {
    pub(crate) fn start(
        what: What,
        cursor: bool,
        name: &str,
        to: gst_app::AppSrc,
        around: &Surroundings,
    ) -> Result<Self, Trouble> {
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, around, name) = (Arc::clone(&stopping), around.clone(), name.to_owned());
        let thread = std::thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || {
                let ended = Camera::open(what, cursor).and_then(|camera| film(camera, &to, &around, &stop));
                if let Err(error) = ended
                    && !stop.load(Ordering::Acquire)
                {
                    tracing::debug!(%error, "screen capture broke");
                    let kind = match what {
                        What::Area(_) => DeviceKind::Screen,
                        What::Window(_) => DeviceKind::Window,
                    };
                    let mut missing = super::capture::device_missing(kind, None);
                    missing.params.insert("device".to_owned(), name);
                    around.tell(Inside::Broke(Trouble::passing(missing)));
                }
            })
            .map_err(|error| Trouble::passing(UserError::new(ErrorCode::Internal).with("detail", error)))?;
        Ok(Self {
            stopping,
            thread: Some(thread),
        })
    }
}

impl Drop for Grab {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a screen's thread panicked");
        }
    }
}

/// Takes a picture for each frame of the program until told to stop.
fn film(
    mut camera: Camera,
    to: &gst_app::AppSrc,
    around: &Surroundings,
    stop: &AtomicBool,
) -> Result<(), Fault> {
    let grid = Grid::new(around.canvas.fps());
    let mut size = (0, 0);
    while !stop.load(Ordering::Acquire) {
        let now = around.clock.running_time();
        let next = grid.time(grid.at_or_after(now + ClockTime::from_useconds(500)));
        std::thread::sleep(Duration::from(next.saturating_sub(now)));
        let shot = camera.shoot()?;
        if size != (shot.width, shot.height) {
            size = (shot.width, shot.height);
            let info = gst_video::VideoInfo::builder(
                gst_video::VideoFormat::Bgrx,
                shot.width.into(),
                shot.height.into(),
            )
            .fps(gst::Fraction::new(around.canvas.fps() as i32, 1))
            .build()?;
            to.set_caps(Some(&info.to_caps()?));
        }
        let mut buffer = shot.buffer;
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(next);
            buffer.set_duration(grid.duration(0));
        }
        if to.push_buffer(buffer).is_err() {
            // The pipeline is being shut.
            return Ok(());
        }
    }
    Ok(())
}

struct Shot {
    width: u16,
    height: u16,
    /// BGRx, rows without a gap.
    buffer: gst::Buffer,
}

/// A connection with what it needs to take pictures.
struct Camera {
    connection: RustConnection,
    root: Window,
    what: What,
    cursor: bool,
    memory: Option<Memory>,
    /// Where pictures of this many bytes go.
    pool: Option<(usize, Pool)>,
    /// A window's own pixels, also where another window covers it: pixmap, width, height.
    pixmap: Option<(Drawable, u16, u16)>,
    composite: bool,
}

/// Memory that the server writes and we read.
struct Memory {
    segment: u32,
    file: File,
    bytes: usize,
}

impl Camera {
    fn open(what: What, cursor: bool) -> Result<Self, Fault> {
        let (connection, number) = RustConnection::connect(None)?;
        let screen = connection.setup().roots.get(number).ok_or("no such screen")?;
        let root = screen.root;
        let little = connection.setup().image_byte_order == x11rb::protocol::xproto::ImageOrder::LSB_FIRST;
        let format = connection
            .setup()
            .pixmap_formats
            .iter()
            .find(|format| format.depth == screen.root_depth);
        if !little || format.is_none_or(|format| format.bits_per_pixel != 32) {
            return Err("the screen's pixels have not 32 bits".into());
        }
        // Both want to be asked for their version before anything else.
        let cursor = cursor && connection.xfixes_query_version(5, 0)?.reply().is_ok();
        let mut camera = Self {
            connection,
            root,
            what,
            cursor,
            memory: None,
            pool: None,
            pixmap: None,
            composite: false,
        };
        if let What::Window(window) = what {
            camera.composite = camera.redirect(window).is_ok();
        }
        Ok(camera)
    }

    /// Lets the server keep the window's pixels apart, so that they are whole under other windows.
    fn redirect(&self, window: Window) -> Result<(), Fault> {
        self.connection.composite_query_version(0, 4)?.reply()?;
        self.connection
            .composite_redirect_window(window, Redirect::AUTOMATIC)?
            .check()?;
        Ok(())
    }

    fn shoot(&mut self) -> Result<Shot, Fault> {
        let (drawable, x, y, width, height) = match self.what {
            What::Area(area) => {
                let side = |from: u32, to: u32| u16::try_from(to - from + 1).unwrap_or(u16::MAX);
                let (width, height) = (side(area.left, area.right), side(area.top, area.bottom));
                (self.root, area.left as i16, area.top as i16, width, height)
            }
            What::Window(window) => {
                // Fails when the window is closed, and that is how it is noticed.
                let geometry = self.connection.get_geometry(window)?.reply()?;
                let drawable = self.window_pixels(window, geometry.width, geometry.height)?;
                (drawable, 0, 0, geometry.width, geometry.height)
            }
        };
        if width > MOST_SIDE || height > MOST_SIDE {
            return Err("larger than any screen".into());
        }
        let mut buffer = self.buffer(usize::from(width) * usize::from(height) * 4)?;
        {
            let writable = buffer.get_mut().ok_or("a buffer of the pool is still used")?;
            let mut pixels = writable.map_writable()?;
            self.image(drawable, x, y, width, height, &mut pixels)?;
            if self.cursor {
                // A pointer that cannot be read is not worth the picture.
                if let Err(error) = self.draw_cursor(&mut pixels, width, height) {
                    tracing::trace!(%error, "no pointer");
                }
            }
        }
        Ok(Shot {
            width,
            height,
            buffer,
        })
    }

    fn buffer(&mut self, bytes: usize) -> Result<gst::Buffer, Fault> {
        if self.pool.as_ref().is_none_or(|(known, _)| *known != bytes) {
            self.pool = Some((bytes, Pool::new(bytes).ok_or("no memory for a picture")?));
        }
        let buffer = self.pool.as_ref().and_then(|(_, pool)| pool.buffer());
        buffer.ok_or_else(|| "no memory for a picture".into())
    }

    fn window_pixels(&mut self, window: Window, width: u16, height: u16) -> Result<Drawable, Fault> {
        if !self.composite {
            return Ok(window);
        }
        if let Some((pixmap, known_width, known_height)) = self.pixmap {
            if (known_width, known_height) == (width, height) {
                return Ok(pixmap);
            }
            self.connection.free_pixmap(pixmap)?;
            self.pixmap = None;
        }
        let pixmap = self.connection.generate_id()?;
        self.connection
            .composite_name_window_pixmap(window, pixmap)?
            .check()?;
        self.pixmap = Some((pixmap, width, height));
        Ok(pixmap)
    }

    fn image(
        &mut self,
        from: Drawable,
        x: i16,
        y: i16,
        width: u16,
        height: u16,
        pixels: &mut [u8],
    ) -> Result<(), Fault> {
        if self
            .memory
            .as_ref()
            .is_none_or(|memory| memory.bytes < pixels.len())
        {
            self.memory = self.share(pixels.len()).ok();
        }
        let format = ImageFormat::Z_PIXMAP;
        let Some(memory) = &self.memory else {
            // Over the socket: slower, and all that a remote server can.
            let reply = self
                .connection
                .get_image(format, from, x, y, width, height, !0)?
                .reply()?;
            let data = reply
                .data
                .get(..pixels.len())
                .ok_or("a picture of another size")?;
            pixels.copy_from_slice(data);
            return Ok(());
        };
        self.connection
            .shm_get_image(from, x, y, width, height, !0, format.into(), memory.segment, 0)?
            .reply()?;
        memory.file.read_exact_at(pixels, 0)?;
        Ok(())
    }

    fn share(&self, bytes: usize) -> Result<Memory, Fault> {
        let version = self.connection.shm_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return Err("shared memory by descriptor is not known there".into());
        }
        let segment = self.connection.generate_id()?;
        let reply = self
            .connection
            .shm_create_segment(segment, u32::try_from(bytes)?, false)?
            .reply()?;
        Ok(Memory {
            segment,
            file: File::from(reply.shm_fd),
            bytes,
        })
    }

    /// Blends the pointer's picture where it stands.
    fn draw_cursor(&self, pixels: &mut [u8], width: u16, height: u16) -> Result<(), Fault> {
        let cursor = self.connection.xfixes_get_cursor_image()?.reply()?;
        let (left, top) = match self.what {
            What::Area(area) => (area.left as i32, area.top as i32),
            What::Window(window) => {
                let place = self
                    .connection
                    .translate_coordinates(window, self.root, 0, 0)?
                    .reply()?;
                (place.dst_x.into(), place.dst_y.into())
            }
        };
        let x = i32::from(cursor.x) - i32::from(cursor.xhot) - left;
        let y = i32::from(cursor.y) - i32::from(cursor.yhot) - top;
        let size = (i32::from(width), i32::from(height));
        for (n, argb) in cursor.cursor_image.iter().enumerate() {
            let across = i32::from(cursor.width.max(1));
            let (px, py) = (x + n as i32 % across, y + n as i32 / across);
            if (0..size.0).contains(&px) && (0..size.1).contains(&py) {
                let at = (py * size.0 + px) as usize * 4;
                over(&mut pixels[at..at + 3], *argb);
            }
        }
        Ok(())
    }
}

/// One premultiplied ARGB pixel over a BGR one.
fn over(below: &mut [u8], argb: u32) {
    let [blue, green, red, alpha] = argb.to_le_bytes();
    for (value, above) in below.iter_mut().zip([blue, green, red]) {
        let kept = u32::from(*value) * (255 - u32::from(alpha)) / 255;
        *value = (kept + u32::from(above)).min(255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_covers_what_is_below_it_by_its_opacity() {
        let mut pixel = [100, 100, 100];
        over(&mut pixel, 0x0000_0000);
        assert_eq!(pixel, [100, 100, 100], "clear leaves it");
        over(&mut pixel, 0x8080_0000);
        assert_eq!(pixel, [49, 49, 177], "half red");
        over(&mut pixel, 0xff00_00ff);
        assert_eq!(pixel, [255, 0, 0], "blue, fully");
    }
}
