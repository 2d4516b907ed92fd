//! Products (Whop API, products).

use super::{Call, Client, Method, Pages, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::product::{NewProduct, Product, ProductChanges};

impl Client {
    pub async fn create_product(&self, new: &NewProduct<'_>, key: &str) -> Result<Product, WhopError> {
        self.ask(Call::post("products.create", "products", key).json(new)?).await
    }

    pub async fn product(&self, id: &str) -> Result<Product, WhopError> {
        self.ask(Call::get("products.get", format!("products/{}", segment(id)?))).await
    }

    /// Our products, newest first.
    pub fn products(&self) -> Pages<'_, Product> {
        let call = Call::get("products.list", "products")
            .query("account_id", self.company_id())
            .query("order", "created_at")
            .query("direction", "desc");
        Pages::new(self, call)
    }

    pub async fn update_product(&self, id: &str, changes: &ProductChanges<'_>) -> Result<Product, WhopError> {
        let path = format!("products/{}", segment(id)?);
        self.ask(Call::new("products.update", Method::PATCH, path).json(changes)?).await
    }

    pub async fn delete_product(&self, id: &str) -> Result<(), WhopError> {
        self.tell(Call::new("products.delete", Method::DELETE, format!("products/{}", segment(id)?))).await
    }
}
