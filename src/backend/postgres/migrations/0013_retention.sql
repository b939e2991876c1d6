-- SPDX-License-Identifier: Apache-2.0
-- What is forgotten by its age.

CREATE INDEX IF NOT EXISTS collect_alerts_resolved ON inventory_alerts (resolved_at) WHERE is_resolved;
CREATE INDEX IF NOT EXISTS collect_alert_history_by_age ON alert_history (created_at);
CREATE INDEX IF NOT EXISTS alert_deliveries_by_age ON alert_deliveries (created_at) WHERE state <> 'pending';
