import type { Person } from "../support/people.ts";

/** What a client was told, and what it knows by that. */
export type Ledger = {
  user: Person;
  /** Sessions that it was given, and the challenges that they came of. */
  sessions: { id: string; token: string; challenge?: string }[];
  /** Those that are to be over. */
  ended: Set<string>;
  /** Devices that it was told are verified. */
  verified: Set<string>;
  removed: Set<string>;
  allRemoved: boolean;
  recoveryCodesUsed: number;
  locked: boolean;
  /** Wrong passcodes that may still be typed, as told last; undefined after a success. */
  attemptsRemaining?: number;
};

export const newLedger = (user: Person): Ledger => ({
  user,
  sessions: [],
  ended: new Set(),
  verified: new Set(),
  removed: new Set(),
  allRemoved: false,
  recoveryCodesUsed: 0,
  locked: false,
});

/** Notes the count that a client is told; throws where it went up without a success. */
export function noteAttempts(ledger: Ledger, told: number | undefined, spent: boolean): void {
  const { attemptsRemaining: before } = ledger;
  if (told === undefined) throw new Error("The attempts that remain were not told");
  if (before !== undefined && (spent ? told >= before : told > before))
    throw new Error(`${before} attempts remained, and then ${told}`);
  ledger.attemptsRemaining = told;
}
