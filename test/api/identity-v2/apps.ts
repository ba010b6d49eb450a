import { generateSync } from "otplib";
import { expect } from "vitest";
import type { Person } from "../../support/people.ts";
import type { Face } from "./face.ts";

export const proof = (code: string) => ({ "RAX-AUTH:verificationCode": { code } });

/** The code that an app with this key URI shows now. */
export function codeOf(face: Face, keyUri: string): string {
  const secret = new URL(keyUri).searchParams.get("secret") ?? "";
  return generateSync({ secret, epoch: Math.floor(face.clock.now() / 1000) });
}

/** Adds and verifies an app. After that the token also has the second factor. */
export async function addApp(face: Face, own: string, token: string, name = "My app") {
  const body = { "RAX-AUTH:otpDevice": { name } };
  const made = await face.post(`${own}/otp-devices`, body, { token });
  const app = made.json["RAX-AUTH:otpDevice"];
  const code = proof(codeOf(face, app.keyUri));
  const answer = await face.post(`${own}/otp-devices/${app.id}/verify`, code, { token });
  expect(answer.status, answer.text).toBe(204);
  return app as { id: string; keyUri: string };
}

/** Logs in with password and app. Returns the token. */
export async function logInByApp(face: Face, user: Person, { keyUri }: { keyUri: string }) {
  const sessionId = await face.sessionId(user, "OTPPASSCODE");
  // The previous code was used, so wait for the next one.
  await face.advance(30_000);
  const answer = await face.secondStep(sessionId, codeOf(face, keyUri));
  return answer.json.access.token.id as string;
}
