/** A QR code as lines of text: two rows of its modules a line, in half blocks, so that a module is about as wide as high. */
import { encode } from 'uqr'

/** What a cell shows whose upper and lower half are in the colour of the text, or are not. */
const cells = [' ', '▄', '▀', '█']
/** The quiet zone, in modules: not every reader takes less. */
const border = 4

/** `inkIsDark`: whether the colour of the text is the dark one of the two. */
export function qrLines(content: string, inkIsDark: boolean): readonly string[] {
  const { data, size } = encode(content, { ecc: 'L', border })
  // Below an odd last row there is nothing: that is as light as the border.
  const isInk = (x: number, y: number) => (data[y]?.[x] ?? false) === inkIsDark
  const line = (y: number) =>
    Array.from({ length: size }, (_, x) => cells[Number(isInk(x, y)) * 2 + Number(isInk(x, y + 1))]).join('')
  return Array.from({ length: Math.ceil(size / 2) }, (_, at) => line(at * 2))
}
