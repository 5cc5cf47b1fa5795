/** A Windows desktop that is reached by RDP. */
import { fields, oneOf, optional, type Read, yesOrNo } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { address, hostName, resourceName } from './resource-name.ts'

export type WindowsDesktopDocument = {
  readonly kind: 'windows_desktop'
  readonly version: 'v3'
  readonly metadata: Metadata
  readonly spec: {
    readonly addr: string
    /** Its Active Directory domain. */
    readonly domain?: string
    /** It belongs to none: its users are local ones. */
    readonly non_ad?: boolean
  }
}

export const windowsDesktop: Read<WindowsDesktopDocument> = fields<WindowsDesktopDocument>('windows_desktop', {
  kind: oneOf('windows_desktop'),
  version: oneOf('v3'),
  metadata: metadata('windows_desktop', resourceName),
  spec: fields<WindowsDesktopDocument['spec']>('windows_desktop', {
    addr: address,
    domain: optional(hostName),
    non_ad: optional(yesOrNo),
  }),
})
