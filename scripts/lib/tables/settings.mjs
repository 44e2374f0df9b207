import { declaredSettings } from '../../../examples/authors/src/settings.ts'

export const settings = { settings: String(declaredSettings.describe()).trimEnd() }
