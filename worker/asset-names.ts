import type { AssetName } from './pages/layout.ts'

/** Put in by build.ts: which file name, with the hash of its content, each asset has in this build. */
declare const ASSET_NAMES: Readonly<Record<AssetName, string>>

export const assetUrl = (name: AssetName): string => `/assets/${ASSET_NAMES[name]}`
