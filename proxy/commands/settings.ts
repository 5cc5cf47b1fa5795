/** The settings of a command: those of the file of --config, or else those of the environment. */
import { readPem } from '../certificates.ts'
import { readSettings, type Settings } from '../config.ts'
import { readConfigFile } from '../config-file.ts'

/** @throws SetupProblem */
export const settingsOf = (config: string | undefined): Settings =>
  config === undefined ? readSettings() : readConfigFile(config, readPem(config))
