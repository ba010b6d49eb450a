import { expect, test } from "vitest";
import { getDevice } from "../../store/postgres/devices.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getUser } from "../../store/postgres/users.ts";
import { credentialOf, storeCredential } from "../../store/postgres/webauthn-credentials.ts";
import { readUserRevocation } from "../../store/redis/sessions/revocations.ts";
import { MINUTE_MS } from "../../units.ts";
import { credentialOf as another } from "../store/postgres/database.ts";
import { ORIGIN } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");
const proof = { makeDefault: true, signOut: true, origin: ORIGIN };

test("a credential verifies the key, makes it the default and signs the user out", async () => {
  const flow = await world.webauthnEnrollment();
  expect(await flow.reaches("awaiting_credential")).toMatchObject({
    next: ["verify", "restart", "remove"],
  });
  const { sealedAs } = flow;
  expect(await flow.update("acceptCredential", { ...proof, sealedAs })).toEqual({
    state: "verified",
    next: [],
  });
  expect(await flow.activities()).toEqual(["settleDevice", "signOut"]);
  expect((await getUser(world.db, flow.userId))?.defaultMethod).toBe("webauthn");
  expect(await readUserRevocation(world.redis, flow.userId)).toMatchObject({ epoch: 1 });
});

test("attack: the credential is replaced between its check and its acceptance", async () => {
  const flow = await world.webauthnEnrollment();
  const { deviceId, userId, sealedAs } = flow;
  const other = { ...another(deviceId), credentialId: "of-somebody-else" };
  await holdingUser(world.db, userId, (tx) => storeCredential(tx, other));
  expect(await flow.update("acceptCredential", { ...proof, sealedAs })).toMatchObject({
    state: "removed",
  });
  expect(await getDevice(world.db, userId, deviceId)).toBeUndefined();
  expect(await credentialOf(world.db, deviceId)).toBeUndefined();
});

test("refused credentials and a restart leave it open, and do not extend its ten minutes", async () => {
  const flow = await world.webauthnEnrollment();
  for (let refused = 0; refused < 3; refused++)
    expect(await flow.update("rejectCredential")).toMatchObject({ state: "awaiting_credential" });
  await world.pass(9 * MINUTE_MS);
  expect(await flow.update("restart")).toMatchObject({ state: "awaiting_credential" });
  await world.pass(MINUTE_MS + 1000);
  expect(await flow.handle.result()).toMatchObject({ state: "dropped" });
  expect(await getDevice(world.db, flow.userId, flow.deviceId)).toBeUndefined();
});
