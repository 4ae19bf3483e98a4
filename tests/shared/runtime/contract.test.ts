import { runtime } from "../../../shared/runtime/current.ts";
import { runtimeContract } from "./contract.ts";

runtimeContract(runtime);
