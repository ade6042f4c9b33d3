// The Z-order curve: a run of 4ⁿ frames is a square, and two buddies lie side by side.

const spreadTable = new Uint16Array(256);
for (let value = 0; value < 256; value += 1) {
  for (let bit = 0; bit < 8; bit += 1) if (value & (1 << bit)) spreadTable[value] |= 1 << (2 * bit);
}

/** Column and row of each of a tile's 65,536 cells. */
export const tileColumns = new Uint8Array(65536);
export const tileRows = new Uint8Array(65536);
for (let y = 0; y < 256; y += 1) {
  for (let x = 0; x < 256; x += 1) {
    const place = spreadTable[x] | (spreadTable[y] << 1);
    tileColumns[place] = x;
    tileRows[place] = y;
  }
}

/** The place on the curve of a column and a row; numbers up to 2⁴⁸ stay exact. */
export function encode(x, y) {
  let place = 0;
  let weight = 1;
  while (x > 0 || y > 0) {
    place += weight * (spreadTable[x & 255] + 2 * spreadTable[y & 255]);
    weight *= 65536;
    x = Math.floor(x / 256);
    y = Math.floor(y / 256);
  }
  return place;
}

/** Column and row of a place on the curve. */
export function decode(place) {
  let x = 0;
  let y = 0;
  let weight = 1;
  while (place > 0) {
    const low = place % 65536;
    x += weight * tileColumns[low];
    y += weight * tileRows[low];
    weight *= 256;
    place = Math.floor(place / 65536);
  }
  return { x, y };
}

/** Width and height, in pages, of the rectangle that holds this many frames. */
export function extent(frames) {
  let bits = 0;
  while (2 ** bits < frames) bits += 1;
  return { width: 2 ** Math.ceil(bits / 2), height: 2 ** Math.floor(bits / 2) };
}

/** Width and height of a block of an order: a square, or two side by side. */
export const blockSize = (order) => ({ width: 2 ** Math.ceil(order / 2), height: 2 ** Math.floor(order / 2) });
