/** How many connections to PostgreSQL there may be, how many work now, and how many queries wait. */
export type PoolUse = { size: number; used: number; waiting: number };
