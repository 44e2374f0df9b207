/** JSON text by path. Filled when the app is ready. */
export type ServedDocuments = Map<string, string>
