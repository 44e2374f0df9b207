/** Every kind of package of this application. A number that clients use never changes its meaning. */
export const PkgID = {
  LIST_NOTES: 1,
  ADD_NOTE: 2,
  NOTE_ADDED: 100,
} as const
