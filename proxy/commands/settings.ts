/** The settings of a command: those of the file of --config, or else those of the environment. */
import { readPem } from '../certificates.ts'
import { readSettings, type Settings } from '../config.ts'
import { type Look, readConfigFile } from '../config-file.ts'

/** @throws SetupProblem */
export const settingsOf = (config: string | undefined, look?: Look): Settings =>
  config === undefined ? readSettings() : readConfigFile(config, readPem(config), look)
