/** Kinds of columns that several tables have. */
import { customType, integer } from 'drizzle-orm/sqlite-core'

/** drizzle's own blob() answers a Buffer, which workerd lacks without nodejs_compat; D1 answers number[]. */
export const bytes = customType<{ data: Uint8Array<ArrayBuffer>; driverData: Uint8Array | ArrayBuffer | number[] }>({
  dataType: () => 'blob',
  fromDriver: (value) => new Uint8Array(value),
})
export const instant = (name: string) => integer(name)
export const flag = (name: string) => integer(name, { mode: 'boolean' })
