import { isUnavailable } from "../../store/unavailable.ts";

/** SQLSTATE undefined_table. */
const NO_TABLE = "42P01";

/** Why a command failed, for the person who typed it; never with the parameters of a query. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isUnavailable(error))
    return "PostgreSQL or Redis does not answer. Nothing was lost. Try again.";
  const { cause } = error as { cause?: { code?: string; message?: string } };
  if (cause?.code === NO_TABLE)
    return "The database has no tables yet: run scripts/migrate (docs/upgrading.md)";
  return cause?.message ?? error.message;
}
