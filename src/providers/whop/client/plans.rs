//! Plans, under their new name of variants (Whop API, plans and variants).

use super::{Call, Client, Method, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::plan::{NewPlan, Plan, PlanChanges};

impl Client {
    pub async fn create_plan(&self, new: &NewPlan<'_>, key: &str) -> Result<Plan, WhopError> {
        self.ask(Call::post("variants.create", "variants", key).json(new)?).await
    }

    pub async fn plan(&self, id: &str) -> Result<Plan, WhopError> {
        self.ask(Call::get("variants.get", format!("variants/{}", segment(id)?))).await
    }

    /// Our plans, newest first; those of one product if it is given.
    pub fn plans(&self, product_id: Option<&str>) -> Pages<'_, Plan> {
        let call = Call::get("variants.list", "variants")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc")
            .maybe("product_ids", product_id);
        Pages::new(self, call)
    }

    pub async fn update_plan(&self, id: &str, changes: &PlanChanges<'_>) -> Result<Plan, WhopError> {
        let path = format!("variants/{}", segment(id)?);
        self.ask(Call::new("variants.update", Method::PATCH, path).json(changes)?).await
    }

    /// Takes it off sale; memberships that were bought with it stay.
    pub async fn delete_plan(&self, id: &str) -> Result<(), WhopError> {
        self.tell(Call::new("variants.delete", Method::DELETE, format!("variants/{}", segment(id)?))).await
    }
}
