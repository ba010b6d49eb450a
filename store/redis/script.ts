import { type CommandParser, defineScript } from "redis";

/**
 * A Lua script called as `redis.<name>(keys, arguments)`: one atomic step. All of its keys carry
 * the same hash tag, so that it runs on a Redis Cluster too.
 */
export function script<Reply>(lua: string) {
  return defineScript({
    SCRIPT: lua,
    parseCommand(
      parser: CommandParser,
      keys: readonly string[],
      args: readonly (string | number)[],
    ) {
      parser.push(String(keys.length));
      parser.pushKeys([...keys]);
      parser.push(...args.map(String));
    },
    transformReply: (reply: unknown) => reply as Reply,
  });
}
