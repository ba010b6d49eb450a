import type { Person } from "../support/people.ts";

/** What a client was told, so that it can be compared with the stores at the end. */
export type Ledger = {
  user: Person;
  /** The client's sessions, each with the challenge that opened it. */
  sessions: { id: string; token: string; challenge?: string }[];
  /** Tokens of sessions that must have ended. */
  ended: Set<string>;
  /** Devices that an answer said are verified. */
  verified: Set<string>;
  removed: Set<string>;
  allRemoved: boolean;
  recoveryCodesUsed: number;
  locked: boolean;
  /** Passcode attempts left, as the last answer said; undefined after a success. */
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

/** Notes the attempts left that a client was told. Throws if they went up without a success. */
export function noteAttempts(ledger: Ledger, remaining: number | undefined, spent: boolean): void {
  const { attemptsRemaining: before } = ledger;
  if (remaining === undefined) throw new Error("The attempts that remain were not sent");
  if (before !== undefined && (spent ? remaining >= before : remaining > before))
    throw new Error(`${before} attempts remained, and then ${remaining}`);
  ledger.attemptsRemaining = remaining;
}
