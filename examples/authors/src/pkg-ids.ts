/** Every kind of package of this application. A number that clients use never changes its meaning. */
export const PkgID = {
  GET_AUTHORS: 1,
  GET_PAGINATED_AUTHORS: 2,
  CREATE_AUTHOR: 3,
  UPDATE_AUTHOR: 4,
  DELETE_AUTHOR: 5,
  AUTHOR_CREATED: 100,
  AUTHOR_CHANGED: 101,
} as const
