/** What reading hostile bytes answers. It is never an exception. */
export type Parsed<T> =
  | { readonly kind: 'value'; readonly value: T; readonly used: number }
  | { readonly kind: 'more'; readonly atLeast: number }
  | { readonly kind: 'invalid'; readonly why: string }

export const invalid = (why: string) => ({ kind: 'invalid', why }) as const
export const more = (atLeast: number) => ({ kind: 'more', atLeast }) as const
export const value = <T>(value: T, used: number) => ({ kind: 'value', value, used }) as const
