/**
 * Settings from environment variables.
 *
 * @packageDocumentation
 */
export {
  docsSettings,
  type HttpSettings,
  httpSettings,
  type LifecycleSettings,
  type LogSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  type NativeServerSettings,
  nativeServerSettings,
  type WebSocketSettings,
  websocketSettings,
} from './app/core-settings.ts'
export { type ClusterSettings, clusterSettings } from './cluster/cluster-settings.ts'
export type { SettingDescription, SettingsDescription, UnsupportedSetting } from './settings/describe-settings.ts'
export {
  type AnyGroup,
  type GroupState,
  type GroupValue,
  type SettingsGroup,
  settingsGroup,
  type ValuesOf,
  type VariableTable,
} from './settings/group.ts'
export type { Reader, Reading } from './settings/reader.ts'
export {
  defineSettings,
  type SettingsDeclaration,
  type SettingsGroups,
  type SettingsOf,
  type SettingsSource,
} from './settings/settings.ts'
export { type Variable, type VariableOptions, variable } from './settings/variable.ts'
