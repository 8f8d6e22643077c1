//! The test card's clock for machines: a row of dark and bright cells that tells when the frame was made, so
//! that whoever receives the picture can say how old it is. Read by `testkit::stamp`, which has the format too.
//!
//! Cells are `width / 64` pixels wide and high, from the top left corner: bright, dark; 32 bits of Unix time in
//! milliseconds, most significant first; four bits, the exclusive or of its nibbles; dark, bright.

const CELLS: usize = 40;
const DARK: u8 = 16;
const BRIGHT: u8 = 235;
const NEUTRAL: u8 = 128;

/// Writes `unix_ms` into an I420 picture. A picture too narrow for readable cells is left as it is.
pub(crate) fn draw(picture: &mut [u8], info: &gst_video::VideoInfo, unix_ms: u64) {
    let size = info.width() as usize / 64;
    if size < 2 || info.format() != gst_video::VideoFormat::I420 {
        return;
    }
    let row = cells(unix_ms as u32);
    let stride = info.stride()[0] as usize;
    for line in picture.chunks_exact_mut(stride).take(size) {
        for (cell, bright) in line.chunks_exact_mut(size).zip(row) {
            cell.fill(if bright { BRIGHT } else { DARK });
        }
    }
    for plane in [1, 2] {
        let (offset, stride) = (info.offset()[plane], info.stride()[plane] as usize);
        for line in picture[offset..].chunks_exact_mut(stride).take(size.div_ceil(2)) {
            line[..CELLS * size / 2].fill(NEUTRAL);
        }
    }
}

fn cells(value: u32) -> [bool; CELLS] {
    let check = (0..8).fold(0, |sum, nibble| sum ^ ((value >> (4 * nibble)) & 0xf));
    let word = (u64::from(value) << 4) | u64::from(check);
    let mut row = [false; CELLS];
    (row[0], row[CELLS - 1]) = (true, true);
    for (index, cell) in row[2..38].iter_mut().enumerate() {
        *cell = (word >> (35 - index)) & 1 == 1;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_reads_it() {
        gst::init().expect("GStreamer is installed");
        for (width, height) in [(1280, 720), (720, 1280), (426, 240), (3840, 2160)] {
            let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, height)
                .build()
                .expect("a size");
            let mut picture = vec![77; info.size()];
            let unix_ms = 1_795_000_123_456;
            draw(&mut picture, &info, unix_ms);
            let read = testkit::stamp::read_luma(&picture, info.stride()[0] as usize, width as usize);
            let age = read.map(|stamp| testkit::stamp::age_ms(stamp, unix_ms));
            assert_eq!(age, Some(0), "{width}×{height}");
        }
    }
}
