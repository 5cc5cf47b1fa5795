/** What a CONNECT may name, by HTTP/1 as by HTTP/2: the text, and the host and port that it means. */
export const authorities = [
  ['a.test:443', 'a.test', 443],
  ['A.Test:22', 'a.test', 22],
  ['wiki:1', 'wiki', 1],
  ['db_1.a.test:5432', 'db_1.a.test', 5432],
  ['10.0.0.1:65535', '10.0.0.1', 65_535],
  ['[2001:DB8:0::1]:443', '2001:db8::1', 443],
  ['[::ffff:10.0.0.1]:443', '::ffff:a00:1', 443],
] as const
