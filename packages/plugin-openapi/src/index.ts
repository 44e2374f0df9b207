/**
 * OpenAPI and AsyncAPI documents of an app, and pages that show them.
 *
 * @packageDocumentation
 */
export { openapi } from './openapi-plugin.ts'
export type { OpenApiAccess, OpenApiGuard, OpenApiOptions, OpenApiPaths } from './options.ts'
export { consoleFolder } from './page-folder.ts'
export type { ApiInfo, ApiServer } from './shared/info.ts'
