import { eq, sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { accounts } from "../../../store/postgres/schema.ts";
import { addedKey, addedOtp, database, KINDS, newUser } from "./database.ts";

// Builds compare these names with their own migrations at their start: check-schema.ts.
describe.each(KINDS)("what builds must know on %s", (kind) => {
  const pools = database(kind);
  const needs = async () => {
    const { rows } = await pools.db.execute(sql`select migration from drizzle.schema_needs`);
    return rows.map(({ migration }) => migration);
  };
  const forget = () => pools.db.execute(sql`delete from drizzle.schema_needs`);

  test("a build that knows no keys is kept away by the first key, and not by an app", async () => {
    await forget();
    const user = await newUser(pools.db);
    await addedOtp(pools.db, user);
    expect(await needs()).toEqual([]);
    await addedKey(pools.db, user);
    await addedKey(pools.db, user);
    expect(await needs()).toEqual(["0008_webauthn"]);
  });

  test("it is kept away by the first requirement of a key, and not by another requirement", async () => {
    await forget();
    const { accountId } = await newUser(pools.db);
    const ask = (requirement: "required" | "phishing_resistant") =>
      pools.db.update(accounts).set({ requirement }).where(eq(accounts.id, accountId));
    await ask("required");
    expect(await needs()).toEqual([]);
    await ask("phishing_resistant");
    expect(await needs()).toEqual(["0008_webauthn"]);
  });
});
