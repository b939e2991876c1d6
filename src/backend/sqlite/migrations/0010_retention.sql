-- SPDX-License-Identifier: Apache-2.0
-- What is forgotten by its age.

CREATE INDEX inventory_alerts_resolved ON inventory_alerts(resolved_at) WHERE is_resolved = 1;
CREATE INDEX alert_history_by_age ON alert_history(created_at);
CREATE INDEX alert_deliveries_by_age ON alert_deliveries(created_at) WHERE state <> 'pending';
