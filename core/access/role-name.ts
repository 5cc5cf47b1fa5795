import { shaped, text } from './text.ts'

const shape = /^[a-z0-9][a-z0-9-]{0,62}$/

/** As roles are named, built-in ones too: what names another names nothing. */
export const roleName = text(shaped(shape, 'the name of a role'))
