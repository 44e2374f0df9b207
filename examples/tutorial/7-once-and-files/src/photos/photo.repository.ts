import { BaseRepository, type Database } from '@twinwire/core/database'
import { photos } from './photo.table.ts'

export class PhotoRepository extends BaseRepository<typeof photos> {
  constructor(db: Database) {
    super(db, photos)
  }
}
