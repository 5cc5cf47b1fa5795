/** Where verifyTap and @simplewebauthn/server judge an edit differently, and why that is right. */
type Reasons = Readonly<Record<string, string>>

/** Published vectors that only the library accepts. */
export const stricterOnVectors: Reasons = {
  'W3C none-es256-crossOrigin': 'crossOrigin is true: a page in a frame of another site collects no taps',
  'W3C packed-es384': 'ES384 is not asked for',
  'W3C packed-es512': 'ES512 is not asked for',
}

/** Published vectors that neither accepts. */
export const refusedByBoth: Reasons = {
  'W3C none-es256-topOrigin': 'a top origin that nobody expects',
  'W3C packed-ed448': 'Ed448 is not asked for, and the library does not know it',
  'SimpleWebAuthn 3': 'its test only reads the extensions: the public key there is of another credential',
}

const notAbsentOrFalse = 'present, and not false'
const notWritten = 'not in the part of CBOR that authenticators may write (CTAP 2.2 section 8)'
const notDer = 'not DER: one signature would have many spellings'
const oneSpelling = 'one key would have two spellings, and two fingerprints'
const mistaken = 'the library verifies by the kind of key and overlooks what the key says of its algorithm'

/** By kind of edit, or by kind and algorithm: what only the library accepts. */
export const stricter: Readonly<Record<string, Reasons>> = {
  'client data': {
    'crossOrigin true': 'a page in a frame of another site collects no taps',
    'crossOrigin null': notAbsentOrFalse,
    'crossOrigin 0': notAbsentOrFalse,
    'crossOrigin ""': notAbsentOrFalse,
    'crossOrigin "false"': notAbsentOrFalse,
    'topOrigin ""': 'present',
    'topOrigin null': 'present',
    'a byte order mark': 'no browser writes one, and two readers might disagree about it',
    'bytes that are not UTF-8 in an unknown member': 'the specification has UTF-8',
  },
  'authenticator data': {
    'a credential': 'attested data belongs to a registration',
    'extensions, a float': notWritten,
    'extensions, undefined': notWritten,
    'extensions, a tag': notWritten,
    'extensions, text that is not UTF-8': notWritten,
    'extensions, bytes cut short': 'the library reads what is there and calls it whole',
    'extensions, an array alone': 'extensions are a map',
    'extensions, text alone': 'extensions are a map',
    'extensions, 9 deep': 'CTAP allows 4 levels',
  },
  key: { 'a byte after it': oneSpelling },
  'key of ES256': { 'alg PS256': mistaken, 'the last coordinate with a zero before it': oneSpelling },
  'key of EdDSA': { 'alg ES384': mistaken, 'alg PS256': mistaken, 'alg RS1': mistaken },
  'key of RS256': { 'the last coordinate with a zero before it': oneSpelling },
  'signature of ES256': {
    'a third number': notDer,
    'a byte after it': notDer,
    'a length in the long form': notDer,
    'a length of indefinite form': notDer,
    'a length one too short': notDer,
    'a number’s length in the long form': notDer,
  },
}

/** What only we accept: nothing that bears on who tapped for what. */
export const laxer: Readonly<Record<string, Reasons>> = {
  'client data': {
    'tokenBinding with an unknown status': 'Level 3 took token binding out: the member is one of the unknown ones',
    'tokenBinding as text': 'Level 3 took token binding out: the member is one of the unknown ones',
  },
}

/** How many edits of each kind both accept: a test in which nothing is accepted would compare nothing. */
export const accepted: Readonly<Record<string, number>> = {
  'client data': 10,
  'authenticator data': 11,
  // UP and UV; BE and BS but not BS alone; two reserved bits.
  flags: 12,
  'flags before extensions': 12,
  key: 4,
  // As it is, and n - s: whoever has seen a signature can write the other one, so replays are told by the intent's id.
  'signature of ES256': 2,
}
