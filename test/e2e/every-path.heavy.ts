// Drives each flow over HTTP along every path that visits no place twice: npm run test:paths
import { everyPath } from "./paths/every-path.ts";

everyPath("simple");
