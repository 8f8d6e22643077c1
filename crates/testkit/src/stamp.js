// Reads the clock in the picture; the format is described in stamp.rs.
const stampCanvas = document.createElement("canvas");
const stampContext = stampCanvas.getContext("2d", { willReadFrequently: true });

function readStamp(picture) {
  const width = picture.videoWidth ?? picture.width;
  const size = Math.floor(width / 64);
  if (size < 2) return null;
  stampCanvas.width = size * 40;
  stampCanvas.height = size;
  stampContext.drawImage(picture, 0, 0, size * 40, size, 0, 0, size * 40, size);
  const pixels = stampContext.getImageData(0, 0, size * 40, size).data;
  const quarter = Math.max(1, Math.floor(size / 4));
  const middle = Math.floor(size / 2);
  const bright = (cell) => {
    let sum = 0;
    let count = 0;
    for (let y = middle - quarter; y < middle + quarter; y++) {
      for (let x = middle - quarter; x < middle + quarter; x++) {
        sum += pixels[4 * (y * size * 40 + cell * size + x) + 1];
        count++;
      }
    }
    return sum >= count * 128;
  };
  if (!bright(0) || bright(1) || bright(38) || !bright(39)) return null;
  let value = 0;
  for (let cell = 2; cell < 34; cell++) value = value * 2 + (bright(cell) ? 1 : 0);
  let check = 0;
  for (let cell = 34; cell < 38; cell++) check = check * 2 + (bright(cell) ? 1 : 0);
  let expected = 0;
  for (let nibble = 0; nibble < 8; nibble++) expected ^= Math.floor(value / 16 ** nibble) % 16;
  return check === expected ? value : null;
}
