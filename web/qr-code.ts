import { encode } from 'uqr'

const svg = 'http://www.w3.org/2000/svg'

/** Dark on white in either colour scheme, with the quiet zone of four modules: not every reader takes another. */
export function qrCode(text: string, label: string): SVGSVGElement {
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  const picture = document.createElementNS(svg, 'svg')
  const dark = document.createElementNS(svg, 'path')
  const squares = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
  dark.setAttribute('d', squares.join(''))
  set(picture, { viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' })
  picture.append(dark)
  return picture
}

function set(element: Element, attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
}
