/** What mitigators report: items of their own, which never touch the domain's lock. */
import type { MitigationKey, MitigationReport } from '#core/model/mitigation.ts';
import { formatReport, parseReport } from '../store/records.ts';
import { mitigationKey, REPORT_PREFIX, reportKey, reportPartition } from './keys.ts';
import { keyItem, readText, text, whole } from './marshal.ts';
import type { TableClient } from './table-client.ts';

export function reportsOf(table: TableClient, key: MitigationKey): Promise<readonly MitigationReport[]> {
  return table.queryAll(
    {
      condition: 'PK = :mitigation AND begins_with(SK, :prefix)',
      values: { ':mitigation': text(reportPartition(key)), ':prefix': text(REPORT_PREFIX) },
    },
    (item) => parseReport(readText(item, 'body')),
  );
}

/** False when the mitigation is gone, so that nothing of it is left behind, or a newer generation has been reported. */
export async function writeReport(table: TableClient, report: MitigationReport): Promise<boolean> {
  const failed = await table.transact([
    (TableName) => ({
      ConditionCheck: {
        TableName,
        Key: keyItem(mitigationKey(report)),
        ConditionExpression: 'attribute_exists(PK)',
      },
    }),
    (TableName) => ({
      Put: {
        TableName,
        Item: {
          ...keyItem(reportKey(report, report.mitigator)),
          generation: whole(report.generation),
          reportState: text(report.state),
          body: text(formatReport(report)),
        },
        ConditionExpression: 'attribute_not_exists(PK) OR generation <= :generation',
        ExpressionAttributeValues: { ':generation': whole(report.generation) },
      },
    }),
  ]);
  return failed === undefined;
}
