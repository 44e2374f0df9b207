/** Why a command cannot work with the project, with what to change. */
export class ProjectError extends Error {
  override readonly name: string = 'ProjectError'
}
