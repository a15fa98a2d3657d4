import { statement } from '../database.ts'
import { ignored } from './columns.ts'

/** Succeeds where the database answers. */
export const answers = statement('SELECT 1 AS one', ignored)
