import { SECOND_MS } from "../../units.ts";

const UNITS_MS = [86_400 * SECOND_MS, 3600 * SECOND_MS, 60 * SECOND_MS, SECOND_MS];

/** Days, hours, minutes and seconds, as in ISO 8601 and XML Schema's duration. */
const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,3})?)S)?)?$/;

/** A duration such as `PT30M` in ms; undefined if the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const [, ...amounts] = DURATION.exec(text) ?? [];
  if (amounts.length === 0) return undefined;
  return UNITS_MS.reduce((sum, unit, index) => sum + unit * Number(amounts[index] ?? 0), 0);
}
